"""A proxy before the database server, which lets tests see how a server that froze looks."""

import contextlib
import socket
import threading
from collections.abc import Callable


class Proxy:
    """Listens on `port` and forwards to a server; a context manager.

    While it is frozen it forwards nothing and closes nothing: what is sent to it is acknowledged by
    TCP, as by a server whose process is stopped. It thaws by itself after a while, so that a wait
    without an end fails its test.
    """

    THAWS_AFTER = 15  # seconds

    def __init__(self, host: str, port: int | str) -> None:
        self.server = host, int(port)
        self.connections = 0  # those that were ever made
        self.flows = threading.Event()
        self.flows.set()
        self.freezes_after: bytes | None = None
        self.sockets: list[socket.socket] = []
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> "Proxy":
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self.thaw()
        for each in (self.listener, *self.sockets):
            with contextlib.suppress(OSError):  # the other end has closed it
                each.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        for each in (self.listener, *self.sockets):
            each.close()

    def freeze(self) -> None:
        self.flows.clear()

    def freeze_after(self, content: bytes) -> None:
        """Freeze when the client has sent this: the server does it, and the client never learns."""
        self.freezes_after = content

    def thaw(self) -> None:
        self.freezes_after = None
        self.flows.set()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        self.threads.append(threading.Thread(target=target, args=arguments))
        self.threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it listens no more
            while True:
                client, _ = self.listener.accept()
                self.connections += 1
                server = socket.create_connection(self.server)
                self.sockets += [client, server]
                self._start(self._forward, client, server)
                self._start(self._forward, server, client)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                if not self.flows.wait(self.THAWS_AFTER):
                    self.thaw()
                if self.freezes_after and self.freezes_after in content:
                    self.freezes_after = None
                    self.freeze()
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)
