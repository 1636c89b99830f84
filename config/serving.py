"""What a server needs before its first request: time limits, and the views.

`config.wsgi` and `config.asgi` call both functions. All servers load one of the two, including
`runserver` and `demo`; other commands do not, and have no limit.
"""

from importlib import import_module

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


def load_views() -> None:
    """Import the views, so that the first request of each worker does not wait for that.

    Django imports them when the first request comes, which takes a second. Its apps have to be
    loaded before.
    """
    import_module(settings.ROOT_URLCONF)
