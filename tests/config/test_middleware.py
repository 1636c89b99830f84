"""What the middleware of pages does to a call."""

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
