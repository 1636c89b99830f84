"""The headers of answers, and HTTPS."""

import http.client

import pytest

from tests.server import Server


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
