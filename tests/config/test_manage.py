"""`manage.py`: what its commands change is in the history as theirs."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

from tests.server import PROJECT


def test_what_a_command_changes_is_recorded_with_the_door_and_the_run(tmp_path):
    file = tmp_path / "db.sqlite3"
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "x" * 10 + "not a secret: it serves this test, on this machine",
        "DATABASE_URL": f"sqlite:///{file}",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
    }
    for command in (
        ["migrate", "--verbosity=0"],
        [
            "createsuperuser",
            "--no-input",
            "--login_id=root",
            "--email_id=root@desk.example",
            "--first_name=Root",
        ],
    ):
        arguments = [sys.executable, "manage.py", *command]
        subprocess.run(arguments, cwd=PROJECT, env=environment, check=True, timeout=60)
    with closing(sqlite3.connect(file)) as database:
        [row] = database.execute(
            "SELECT action, door, login_id, by_type, length(trxid) FROM users_change"
        )
    assert row == ("created", "command", "root", "", 36)
