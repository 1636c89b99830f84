"""The message catalogue, from which translations start.

It is made in `users/`, without the line of its date, by
`django-admin makemessages -l en --keep-pot --add-location file`.
"""

import shutil

import pytest
from django.core.management import call_command

from tests.server import PROJECT


def entries(path):
    """Return the messages of a catalogue without their comments; its header is none."""
    texts = path.read_text().replace("\r\n", "\n").split("\n\n")[1:]
    lines = ([line for line in text.splitlines() if line[:1] != "#"] for text in texts)
    return {"\n".join(each) for each in lines}


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
def test_the_catalogue_has_all_messages_and_no_other(tmp_path, monkeypatch):
    app = tmp_path / "users"
    shutil.copytree(PROJECT / "users", app, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(app)
    # Without line numbers, so that the file changes with the messages alone.
    call_command("makemessages", locale=["en"], keep_pot=True, add_location="file", verbosity=0)
    generated = entries(app / "locale" / "django.pot")
    stored = entries(PROJECT / "users" / "locale" / "django.pot")
    assert (generated - stored, stored - generated) == (set(), set())
