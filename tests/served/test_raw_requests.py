"""Bytes that no HTTP library would send."""

import itertools
import socket
from pathlib import Path

import pytest

from tests.server import Server

CHANGE = {"first_name": "Bruno"}


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
