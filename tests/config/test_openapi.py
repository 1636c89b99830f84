"""The OpenAPI document and its page, which anybody may ask for."""

from base64 import b64encode

import pytest
from django.test import Client
from django.utils.translation import trans_real

from tests.factories import UserFactory

PATHS = ["/api/schema/", "/api/schema/page/"]


def basic(credentials):
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_password_is_not_looked_at(client, path):
    UserFactory(login_id="asha", password="correct horse")
    for credentials in ("asha:correct horse", "asha:wrong", "\0:wrong"):
        assert client.get(path, headers=basic(credentials)).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["?version=%0A", "?version=%00", "?lang=%00"])
def test_a_query_cannot_break_it(client, path, query):
    assert client.get(path + query).status_code == 200


def test_a_language_that_is_named_is_not_kept_in_memory(client):
    client.get("/api/schema/?lang=zz-desk")
    assert "zz-desk" not in trans_real._translations


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "DELETE"])
def test_it_is_there_to_be_read_alone(client, path, method):
    assert client.generic(method, path).status_code == 405
