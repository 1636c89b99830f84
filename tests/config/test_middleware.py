"""What of the middleware a call passes by."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["session", "user", "_messages"])
def test_a_page_has_what_a_call_passes_by(client, name):
    assert hasattr(client.get("/admin/login/").wsgi_request, name)
    assert not hasattr(client.patch("/api/users/1").wsgi_request, name)
