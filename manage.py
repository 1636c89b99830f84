#!/usr/bin/env python
"""Django's command line for the project."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import demo_environment
from users.acting import acting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:
        demo_environment.prepare(os.environ)
    try:
        with acting("command"):
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Whose message names the variable and says what to do (`config/settings.py`).
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))
