"""Who is let in to what, what two refusals have in common, and what the logs say."""

import http.client
import itertools
import json
import logging
import socket
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.assertions import assert_refused
from tests.factories import MembershipFactory, TeamFactory, UserFactory, an_hour_ago, issue_token
from tests.server import Server
from users import tokens

User = get_user_model()
CHANGE = {"first_name": "Bruno"}
SETS = [set(), {"a"}, {"b"}, {"a", "b"}]


def request_of(user_id, team_id, secret, **headers):
    return Client(raise_request_exception=False).patch(
        f"/api/users/{user_id}",
        json.dumps(CHANGE),
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "teamid": str(team_id)} | headers,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("granted", SETS, ids=str)
@pytest.mark.parametrize("named", ["a", "b"])
@pytest.mark.parametrize("member_of", SETS, ids=str)
def test_a_user_is_updated_only_by_a_grant_of_a_team_of_his_that_is_named(
    granted, named, member_of
):
    teams = {name: TeamFactory(name=name) for name in "ab"}
    user = UserFactory()
    for name in member_of:
        MembershipFactory(user=user, team=teams[name])
    issue_token(*teams.values())  # somebody else's, whose grants do not count
    secret = issue_token(*(teams[name] for name in granted))
    number = request_of(user.pk, teams[named].pk, secret).json()["status_code"]
    expected = 2010 if named not in granted else 3101 if named not in member_of else 4309
    assert number == expected
    assert (User.objects.get(pk=user.pk).first_name == "Bruno") == (expected == 4309)


def looks(response):
    return response.status_code, response.content, dict(response.headers)


@pytest.mark.django_db
def test_refusals_that_the_contract_makes_the_same_cannot_be_told_apart(user, team, token):
    other_team, stranger = TeamFactory(), MembershipFactory().user
    request_of(user.pk, team.pk, token)  # the use of the token is noted
    revoked = issue_token(team, revoked_at=an_hour_ago())
    revoked_and_expired = issue_token(team, revoked_at=an_hour_ago(), expires_at=an_hour_ago())
    groups = [
        [(user.pk, team_id, token) for team_id in (other_team.pk, 10**6, 0, "x", "9" * 40)],
        [(user_id, team.pk, token) for user_id in (stranger.pk, 10**6, 0, "x", "9" * 40)],
        [(user.pk, team.pk, s) for s in (tokens.new_token(), revoked, revoked_and_expired)],
    ]
    for group in groups:
        seen = []
        for request in group:
            with CaptureQueriesContext(connection) as queries:
                response = request_of(*request)
            seen.append((looks(response), len(queries)))
        assert all(one == other for one, other in itertools.pairwise(seen)), group


@pytest.fixture
def request_log(caplog):
    """The lines of the calls' own log, decoded."""
    logger = logging.getLogger("users.requests")
    logger.addHandler(caplog.handler)
    yield lambda: [json.loads(r.getMessage()) for r in caplog.records if r.name == "users.requests"]
    logger.removeHandler(caplog.handler)


@pytest.mark.django_db
def test_a_call_is_logged_in_a_line(call, user, team, request_log):
    call(CHANGE)
    [line] = request_log()
    assert line.pop("ms") > 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "code": 4309,
        "method": "PATCH",
        "user": user.pk,
        "team": team.pk,
        "token": "HR system",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "logged"),
    [
        ({"headers": {"teamid": "0"}}, {"code": 2010, "team": None, "token": None}),
        ({"headers": {"Authorization": "Bearer x"}}, {"code": 2003, "team": None, "token": None}),
        ({"path": "/api/users/x%0Ay"}, {"code": 3101, "user": None, "token": "HR system"}),
        ({"method": "POST"}, {"code": 2099, "method": "POST"}),
    ],
)
def test_a_refused_call_is_logged_in_a_line(call, request_log, changes, logged):
    call(CHANGE, **changes)
    [line] = request_log()
    assert line.items() >= logged.items()


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


@pytest.fixture
def https_server(tmp_path, transactional_db):
    with Server(tmp_path / "server.log", HTTPS="on") as server:
        yield server


def get(server, path, **headers):
    with_proxy = {"X-Forwarded-Proto": "https"} | headers
    connection_ = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection_.request("GET", path, headers=with_proxy)
    response = connection_.getresponse()
    body = response.read()
    connection_.close()
    return response.status, {k.lower(): v for k, v in response.getheaders()}, body


def test_answers_are_hardened_and_name_no_version(https_server):
    for path in ("/admin/login/", "/api/users/1", "/nowhere"):
        _, headers, _ = get(https_server, path)
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers.get("server", "granian") == "granian"
        assert "x-powered-by" not in headers
    _, headers, _ = get(https_server, "/admin/login/")
    assert "Secure" in headers["set-cookie"]


def test_plain_http_is_redirected_but_for_probes(https_server):
    status, headers, _ = get(https_server, "/admin/", **{"X-Forwarded-Proto": "http"})
    assert status == 301
    assert headers["location"].startswith("https://")
    for probe in ("/healthz", "/readyz"):
        assert get(https_server, probe, **{"X-Forwarded-Proto": "http"})[0] == 200


# The limit of the body's size, against a real server.


def memory_of(server):
    """Return the resident memory of the server's processes, in bytes."""
    own = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in own]
    assert pages
    return sum(pages) * 4096


def send_raw(server, head, chunks):
    """Send bytes as they are; returns what comes back, as far as it comes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), 30) as sock:
        try:
            sock.sendall(head)
            for chunk in chunks:
                sock.sendall(chunk)
        except OSError:
            pass  # the server has had enough
        try:
            while data := sock.recv(65536):
                answer += data
                if b"}}" in answer or b"{}}" in answer:
                    break
        except OSError:
            pass
    return answer


MEBIBYTE = b" " * 2**20


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("framing", ["Content-Length: 209715200", "Transfer-Encoding: chunked"])
def test_a_huge_body_is_refused_without_reading_it_into_memory(tmp_path, call, framing):
    with Server(tmp_path / "server.log") as server:
        headers = {**call.headers, "Content-Type": "application/json"}
        server.call(call.path, CHANGE, headers)
        before = memory_of(server)
        head = [f"PATCH {call.path} HTTP/1.1", "Host: 127.0.0.1", framing]
        head += [f"{name}: {value}" for name, value in headers.items()]
        chunked = "chunked" in framing
        chunk = b"100000\r\n" + MEBIBYTE + b"\r\n" if chunked else MEBIBYTE
        answer = send_raw(
            server, ("\r\n".join(head) + "\r\n\r\n").encode(), itertools.repeat(chunk, 200)
        )
        grown = memory_of(server) - before
        # The same server answers the next call.
        assert server.call(call.path, CHANGE, headers)[1]["status_code"] == 4309
    assert grown < 50 * 2**20
    assert not answer or b'"status_code":31' in answer


@pytest.mark.django_db(transaction=True)
def test_bytes_that_are_no_request_do_not_hurt_the_server(tmp_path, call):
    headers = {**call.headers, "Content-Type": "application/json"}
    with Server(tmp_path / "server.log") as server:
        for raw in (
            b"\x00" * 1000,
            b"PATCH\r\n\r\n",
            b"PATCH /api/users/1 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"PATCH /api/users/1 HTTP/1.1\r\nHost: x\r\nteamid: \xff\xfe\r\n\r\n",
            b"PATCH /api/users/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
            b"PATCH /api/users/%zz%00%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"PATCH " + b"/a" * 50_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
                sock.sendall(raw)
                sock.settimeout(1)
                try:
                    answer = sock.recv(65536)
                except OSError:
                    answer = b""
            assert not answer.startswith(b"HTTP/1.1 5"), raw[:60]
        assert server.call(call.path, CHANGE, headers)[1]["status_code"] == 4309


@pytest.mark.django_db
def test_a_token_in_the_url_lets_nobody_in(call, token):
    response = call(
        CHANGE, path=f"{call.path}?access_token={token}", headers={"Authorization": None}
    )
    assert_refused(response, 2002, {"Authorization": ["This header is required."]})
