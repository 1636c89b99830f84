"""Serves the project with granian, and stops it so that load balancers notice first.

python -m config.serve [--shutdown-delay SECONDS] <granian's options> config.wsgi:application

On SIGTERM, `/readyz` answers 503 ("shutting down") for the delay, while all else is served as
before. Then granian takes no more connections, finishes the requests that it has, and ends. Another
signal ends the delay, and Ctrl+C has none.
"""

import signal
import threading
from argparse import ArgumentParser
from os import environ
from tempfile import TemporaryDirectory
from typing import Any

from granian import cli

from config import shutdown


def server_class(delay: float) -> type[Any]:
    """Return granian's server with a delay, in seconds, between SIGTERM and its stop."""

    class Server(cli.Server):  # type: ignore[misc, valid-type]
        is_stopping = False

        def signal_handler_interrupt(self, signum: int = signal.SIGTERM, *args: Any) -> None:
            if signum != signal.SIGTERM or self.is_stopping:
                return super().signal_handler_interrupt(signum, *args)
            self.is_stopping = True
            shutdown.announce()
            stop = threading.Timer(delay, super().signal_handler_interrupt)
            stop.daemon = True
            stop.start()
            return None

    return Server


def main() -> None:
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--shutdown-delay", type=float, default=5)
    own, options = parser.parse_known_args()
    cli.Server = server_class(own.shutdown_delay)
    with shutdown.can_be_announced(), TemporaryDirectory(prefix="desk-users-") as metrics:
        environ.setdefault("PROMETHEUS_MULTIPROC_DIR", metrics)  # where workers write them
        cli.cli(options, auto_envvar_prefix="GRANIAN")


if __name__ == "__main__":
    main()
