"""Invitations by a real mail server."""

import contextlib
import http.cookies
import logging
import re
import socket
import threading
import time
import urllib.parse
import urllib.request

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from tests.server import Server, free_port
from tests.smtp import MailServer, send_by
from users import invitations
from users.models import Invitation

User = get_user_model()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asha(db):
    return User.objects.create_user("asha", "asha@desk.example", first_name="Asha")


@pytest.fixture
def mail_server():
    with MailServer() as mail_server:
        yield mail_server


class Log(logging.Handler):
    """Waits for a line: mails are sent by a thread of their own."""

    def __init__(self):
        super().__init__()
        self.lines, self.written = [], threading.Condition()

    def emit(self, record):
        with self.written:
            self.lines.append(record.getMessage())
            self.written.notify_all()

    def wait_for(self, line, seconds=20):
        with self.written:
            assert self.written.wait_for(lambda: line in self.lines, seconds), self.lines


@pytest.fixture
def log():
    handler, logger = Log(), logging.getLogger("users.invitations")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def invite(user):
    with transaction.atomic():
        invitations.invite(user)


def test_the_mail_arrives(settings, asha, mail_server):
    send_by(settings, mail_server.port)
    invite(asha)
    envelope, message = mail_server.next()
    assert envelope.mail_from == "no-reply@testserver"
    assert envelope.rcpt_tos == ["asha@desk.example"]
    assert message["Subject"] == "Set your password for testserver"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for part in message.iter_parts():
        assert re.search(r"http://testserver/invitations/\w+/\w+-\w+/", part.get_content())


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ('"a,b"@desk.example', '"a,b"@desk.example'),
        ("o'hara+x@desk.example", "o'hara+x@desk.example"),
        ("asha@dęsk.example", "asha@xn--dsk-sra.example"),
    ],
)
def test_the_mail_to_an_odd_address_arrives(settings, mail_server, address, recipient):
    send_by(settings, mail_server.port)
    invite(User.objects.create_user("asha", address, first_name="Asha"))
    envelope, _message = mail_server.next()
    assert envelope.rcpt_tos == [recipient]


def test_a_mail_server_that_is_away_is_logged(settings, asha, log):
    send_by(settings, free_port())
    invite(asha)
    log.wait_for(
        f"The invitation of user {asha.pk} was not sent: ConnectionRefusedError Connection refused"
    )


def test_a_mail_server_that_hangs_is_not_waited_for(settings, asha, log, mail_server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        send_by(settings, silent.getsockname()[1], timeout=0.5)
        invite(asha)
        assert not log.lines
        log.wait_for(f"The invitation of user {asha.pk} was not sent: SMTPServerDisconnected")
    send_by(settings, mail_server.port)
    invite(asha)
    mail_server.next()


def ask(server, address):
    """Ask for another link, as a browser does."""
    url = f"http://127.0.0.1:{server.port}/invitations/"
    with urllib.request.urlopen(url, timeout=30) as page:
        cookie = http.cookies.SimpleCookie(page.headers["Set-Cookie"])["csrftoken"].value
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "email": address}).encode()
    request = urllib.request.Request(url, form, {"Cookie": f"csrftoken={cookie}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.url


def test_the_project_sends_by_the_server_in_email_url(tmp_path, asha, mail_server):
    Invitation.objects.create(user=asha)
    environment = {
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "EMAIL_FROM": "Desk <desk@desk.example>",
        "PUBLIC_URL": "http://127.0.0.1",
    }
    log = tmp_path / "server.log"
    with Server(log, **environment) as server:
        assert ask(server, "asha@desk.example").endswith("/invitations/asked/")
        envelope, message = mail_server.next()
    assert envelope.mail_from == "desk@desk.example"
    assert message["From"] == "Desk <desk@desk.example>"
    assert f"An invitation was sent to user {asha.pk}" in log.read_text()
    assert "asha@desk.example" not in log.read_text()


def test_the_project_answers_and_stops_while_the_mail_server_hangs(tmp_path, asha):
    Invitation.objects.create(user=asha)
    log = tmp_path / "server.log"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "EMAIL_URL": f"smtp://127.0.0.1:{silent.getsockname()[1]}",
            "PUBLIC_URL": "http://127.0.0.1",
        }
        with Server(log, **environment) as server:
            connection = None
            assert ask(server, "asha@desk.example").endswith("/invitations/asked/")
            connection, _ = silent.accept()
            assert "was not sent" not in log.read_text()
        with contextlib.closing(connection):
            deadline = time.monotonic() + 30
            while "was not sent: SMTPServerDisconnected" not in log.read_text():
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
