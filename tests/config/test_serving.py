"""What a worker does before its first request."""

import os
import subprocess
import sys

import pytest

from tests.server import PROJECT


@pytest.mark.parametrize("application", ["config.wsgi", "config.asgi"])
def test_the_views_are_loaded_before_the_first_request(application):
    code = f"import sys, {application}; print('config.urls' in sys.modules)"
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "x" * 10 + "not a secret: it serves this test, on this machine",
    }
    printed = subprocess.check_output(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, text=True, timeout=60
    )
    assert printed == "True\n"
