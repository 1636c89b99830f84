"""What a server prints."""

import json

import pytest
from django.db import connection

from tests.server import Server
from users import tokens


@pytest.mark.django_db(transaction=True)
def test_the_log_of_a_server_holds_no_secret_and_nothing_personal(tmp_path, call, user, token):
    log = tmp_path / "server.log"
    headers = {**call.headers, "Content-Type": "application/json"}
    personal = {"first_name": "Zebedee", "job_description": "Confidant"}
    with Server(log) as server:
        codes = [
            server.call(call.path, personal, headers)[1]["status_code"],
            server.call(call.path, personal | {"status": "Zebedee"}, headers)[1]["status_code"],
            server.call(call.path, personal, headers | {"teamid": "0"})[1]["status_code"],
        ]
        with connection.schema_editor() as editor:  # now the call fails as nobody foresaw
            editor.execute("ALTER TABLE users_membership RENAME TO away")
        try:
            codes.append(server.call(call.path, personal, headers)[1]["status_code"])
        finally:
            with connection.schema_editor() as editor:
                editor.execute("ALTER TABLE away RENAME TO users_membership")
    text = log.read_text()
    assert codes == [4309, 3115, 2010, 2007]
    assert "Traceback" in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith('{"time"')]
    assert [line["code"] for line in lines] == codes
    for unwanted in (token, tokens.digest(token), "Zebedee", "Confidant", user.email_id):
        assert unwanted not in text
