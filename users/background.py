"""Work that an answer does not wait for."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

from django.db import connections

logger = logging.getLogger(__name__)

#: How many calls may wait in a process. A mail server that hangs must not fill the memory.
MAX_WAITING = 1000

_waiting = BoundedSemaphore(MAX_WAITING)
# One thread, which starts with the first call. A process that ends waits for what is left.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="users-background")


def run(function: Callable[..., None], *arguments: Any) -> None:
    """Call `function` in a thread of this process, after the calls before it.

    An exception is logged without its message, which may hold personal data. If too many calls
    wait, this one is left out, and that is logged.
    """
    if _waiting.acquire(blocking=False):
        _thread.submit(_run, function, *arguments)
    else:
        logger.error("%s was left out: %d calls wait", function.__qualname__, MAX_WAITING)


def _run(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception as error:
        logger.error("%s failed: %s", function.__qualname__, type(error).__name__)
    finally:
        connections.close_all()  # those of this thread
        _waiting.release()
