"""Time limits for requests.

`config.wsgi` and `config.asgi` set them. All servers load one of the two, including `runserver` and
`demo`; other commands do not, and have no limit.
"""

from django.conf import settings


def limit_requests() -> None:
    """Limit the time that requests wait for the database.

    The server cancels a statement after 20 seconds. The client waits a little longer, in case the
    server hangs. Options in DATABASE_URL have precedence.
    """
    for database in settings.DATABASES.values():
        options = database["OPTIONS"]
        if database["ENGINE"] == "users.db.postgresql":
            limits = "-c statement_timeout=20s -c idle_in_transaction_session_timeout=60s"
            options["options"] = f"{limits} {options['options']}"  # the last one wins
            options.setdefault("max_wait", 25)  # seconds
        elif database["ENGINE"] == "django.db.backends.mysql":
            options["init_command"] = f"SET max_statement_time=20; {options['init_command']}"
            options.setdefault("read_timeout", 25)
            options.setdefault("write_timeout", 25)
