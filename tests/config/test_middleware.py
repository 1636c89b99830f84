"""What the middleware of pages does to a call."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_updated
from tests.factories import AdministratorFactory


def test_a_call_neither_reads_nor_keeps_a_session(call):
    call.client.force_login(AdministratorFactory())
    assert call.client.cookies
    with CaptureQueriesContext(connection) as queries:
        response = call({"first_name": "Bruno"})
    assert_updated(response)
    assert not response.cookies
    assert not [each for each in queries if "session_data" in each["sql"]]


@pytest.mark.django_db
def test_pages_bear_a_policy_that_lets_no_script_stand_in_them(client):
    policy = client.get("/admin/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_calls_bear_none(call):
    assert "Content-Security-Policy" not in call({"first_name": "Bruno"}).headers


def test_a_browser_that_asks_for_an_icon_gets_no_error(client):
    assert client.get("/favicon.ico").status_code == 204
