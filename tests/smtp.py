"""A mail server: aiosmtpd, in a thread."""

import email
import email.policy
import queue

import django
from aiosmtpd.controller import Controller

from tests.server import free_port

BACKEND = "django.core.mail.backends.smtp.EmailBackend"


class MailServer:
    """A context manager; `port` is what it listens on at 127.0.0.1."""

    def __init__(self):
        self.port = free_port()
        self._mails = queue.Queue()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *error):
        self._controller.stop()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 (aiosmtpd calls it)
        self._mails.put(envelope)
        return "250 OK"

    def next(self, seconds=20):
        """Return the envelope and the message of the next mail, once it has arrived."""
        envelope = self._mails.get(timeout=seconds)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        return envelope, message


def send_by(settings, port, timeout=10):
    """Have mails sent by a server at 127.0.0.1."""
    if django.VERSION >= (6, 1):
        options = {"host": "127.0.0.1", "port": port, "timeout": timeout}
        settings.MAILERS = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = BACKEND
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_TIMEOUT = timeout
