"""The time limits of requests.

`config.wsgi` and `config.asgi` set them: every server loads one of the two, `runserver` and `demo`
included, and no other command does. Commands and migrations run as long as they need.
"""

from django.conf import settings


def limit_requests() -> None:
    """Let no request wait for ever for a statement that is slow or a database server that froze.

    The server ends a statement after 20 seconds, which undoes it; the client waits a little longer.
    What DATABASE_URL names itself stays.
    """
    for database in settings.DATABASES.values():
        options = database["OPTIONS"]
        if database["ENGINE"] == "users.db.postgresql":
            limits = "-c statement_timeout=20s -c idle_in_transaction_session_timeout=60s"
            options["options"] = f"{limits} {options['options']}"  # of two, the last holds
            options.setdefault("max_wait", 25)  # seconds
        elif database["ENGINE"] == "django.db.backends.mysql":
            options["init_command"] = f"SET max_statement_time=20; {options['init_command']}"
            options.setdefault("read_timeout", 25)
            options.setdefault("write_timeout", 25)
