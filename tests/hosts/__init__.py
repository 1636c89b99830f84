"""Projects of strangers, each around the app in a way of its own.

`common` is what they share. A test has a copy of its project, and runs it in processes of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.server import PROJECT

HOSTS = Path(__file__).parent


class Host:
    """A copy of the project `name` in `folder`.

    python: the interpreter; None: that of the tests, with the app as it stands here.
    """

    def __init__(self, folder, name, python=None):
        for source in ("common", name):
            shutil.copytree(HOSTS / source, folder, dirs_exist_ok=True)
        self.folder = folder
        self.python = python or sys.executable
        self.path = [folder] if python else [folder, PROJECT]

    def write(self, file, text):
        (self.folder / file).write_text(text)

    def run(self, *arguments, check=True):
        """Run Python with warnings as errors, and return the finished process."""
        done = subprocess.run(
            [self.python, "-W", "error", *map(str, arguments)],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(map(str, self.path)),
                "DJANGO_SETTINGS_MODULE": "host.settings",
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def manage(self, *arguments, **options):
        return self.run("-m", "django", *arguments, **options)
