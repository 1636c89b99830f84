"""The settings from the environment: each in a process of its own, as a deployment starts it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import django
import pytest

PROJECT = Path(__file__).parent.parent.parent
STRONG_KEY = "9aB-strong-enough-" * 4
MAIL = {"EMAIL_URL": "smtp+tls://mail.example", "PUBLIC_URL": "https://desk.example"}
SHOW = """
import json
from config import settings
print(json.dumps({n: getattr(settings, n) for n in dir(settings) if n.isupper()}, default=str))
"""


def start(folder=PROJECT, /, **environment):
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def settings(**environment):
    process = start(**{"SECRET_KEY": STRONG_KEY, **environment})
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_the_defaults_are_those_of_a_deployment():
    shown = settings()
    expected = {
        "DEBUG": False,
        "ALLOWED_HOSTS": [],
        "HTTPS": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
    }
    assert {name: shown[name] for name in expected} == expected
    assert shown["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert shown["DATABASES"]["default"]["NAME"] == str(PROJECT / "db.sqlite3")


@pytest.mark.parametrize("environment", [{"DEBUG": "on"}, {"HTTPS": "off"}])
def test_plain_http_needs_no_proxy(environment):
    shown = settings(**environment)
    assert "SECURE_SSL_REDIRECT" not in shown
    assert "SECURE_PROXY_SSL_HEADER" not in shown
    assert (shown["SESSION_COOKIE_SECURE"], shown["CSRF_COOKIE_SECURE"]) == (False, False)


@pytest.mark.parametrize("value", ["on", "True", "YES", "1"])
def test_a_switch_is_on(value):
    assert settings(DEBUG=value)["DEBUG"] is True


@pytest.mark.parametrize("value", ["off", "False", "no", "0", ""])
def test_a_switch_is_off(value):
    assert settings(DEBUG=value)["DEBUG"] is False


def test_hosts_are_separated_by_commas():
    hosts = settings(ALLOWED_HOSTS="desk.example, .desk.example,[::1],127.0.0.1")["ALLOWED_HOSTS"]
    assert hosts == ["desk.example", ".desk.example", "[::1]", "127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("postgresql://u:p%40ss@db.example:5432/desk", "users.db.postgresql"),
        ("postgres://u@db.example/desk", "users.db.postgresql"),
        ("mysql://u:p@db.example:3306/desk", "django.db.backends.mysql"),
        ("sqlite:////tmp/desk.sqlite3", "django.db.backends.sqlite3"),
    ],
)
def test_a_database_is_one_url_away(url, engine):
    assert settings(DATABASE_URL=url)["DATABASES"]["default"]["ENGINE"] == engine


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u@db.example:5432/desk", "db.example", 5432),
        ("postgresql://%2Fvar%2Frun%2FPostgreSQL/desk", "/var/run/PostgreSQL", ""),
        ("postgresql://u:p%40ss@%2Fvar%2Frun%2FPostgreSQL:5433/desk", "/var/run/PostgreSQL", 5433),
        ("postgresql:////var/run/PostgreSQL/desk", "/var/run/PostgreSQL", ""),
        ("postgresql:///desk", "", ""),
        ("mysql://u@%2Frun%2Fmysqld%2Fmysqld.sock/desk", "/run/mysqld/mysqld.sock", ""),
        ("postgresql://[::1]:5432/desk", "::1", 5432),
        ("postgresql://[fe80::1%25eth0]/desk", "fe80::1%eth0", ""),
        ("postgresql://u@one.example:5432,two.example:5433/desk",
         "one.example,two.example", "5432,5433"),
        ("postgresql://u@One.example,two.example/desk", "One.example,two.example", ""),
    ],
)  # fmt: skip
def test_a_database_is_where_the_url_says(url, host, port):
    database = settings(DATABASE_URL=url)["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == (host, port, "desk")


def options(url):
    return settings(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]


LIMITS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 1,
}


@pytest.mark.parametrize("servers", ["db.example", "db1.example,db2.example"])
def test_a_database_that_cannot_be_reached_is_noticed_within_seconds(servers):
    found = options(f"postgresql://u@{servers}/desk")
    assert {name: found[name] for name in LIMITS} == LIMITS


def test_each_time_limit_can_stand_in_the_url():
    limits = {name: value + 1 for name, value in LIMITS.items()} | {"max_wait": 9}
    query = "&".join(f"{name}={value}" for name, value in limits.items())
    found = options(f"postgresql://u@db.example/desk?{query}")
    assert {name: found[name] for name in limits} == limits


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "read-write"),
        ("?target_session_attrs=read-write", "read-write"),
        ("?target_session_attrs=primary", "primary"),
    ],
)
def test_of_several_servers_the_one_that_takes_writes_is_used(query, target):
    found = options(f"postgresql://u@db1.example:5432,db2.example:5432/desk{query}")
    assert found["target_session_attrs"] == target


def test_a_dollar_begins_a_value_like_any_other_character():
    shown = settings(SECRET_KEY="$" + STRONG_KEY, DATABASE_URL="postgresql://$u:$p@h/$d", p="own")
    database = shown["DATABASES"]["default"]
    assert shown["SECRET_KEY"] == "$" + STRONG_KEY
    assert (database["USER"], database["PASSWORD"], database["NAME"]) == ("$u", "$p", "$d")


def mail_options(shown):
    """Return the options of the mail server, as Django has them before version 6.1 or since."""
    if django.VERSION >= (6, 1):
        return shown["MAILERS"]["default"]["OPTIONS"]
    names = {"username": "HOST_USER", "password": "HOST_PASSWORD"}
    options = ("host", "port", "username", "password", "use_tls", "use_ssl", "timeout")
    return {name: shown[f"EMAIL_{names.get(name, name).upper()}"] for name in options}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", {"host": "mail.example", "port": 25, "username": "",
                                 "use_tls": False, "use_ssl": False}),
        ("smtp+tls://mail.example/", {"port": 587, "use_tls": True, "use_ssl": False}),
        ("smtp+ssl://mail.example", {"port": 465, "use_tls": False, "use_ssl": True}),
        ("smtp+tls://mail.example:2525", {"port": 2525}),
        ("smtp+tls://desk%40desk.example:p%23%2F%3A@mail.example",
         {"username": "desk@desk.example", "password": "p#/:", "host": "mail.example"}),
        ("smtp://[::1]:25", {"host": "::1", "port": 25}),
    ],
)  # fmt: skip
def test_a_mail_server_is_one_url_away(url, expected):
    shown = settings(EMAIL_URL=url, PUBLIC_URL="https://desk.example", ALLOWED_HOSTS="desk.example")
    options = mail_options(shown)
    assert {name: options[name] for name in expected} == expected
    assert options["timeout"] == 10
    assert shown["PUBLIC_URL"] == "https://desk.example"
    assert shown["DEFAULT_FROM_EMAIL"] == "no-reply@desk.example"


def test_the_sender_of_mails_can_be_set():
    sender = "Desk <desk@desk.example>"
    shown = settings(**{**MAIL, "EMAIL_FROM": sender})
    assert shown["DEFAULT_FROM_EMAIL"] == sender


def test_no_mail_is_sent_by_default():
    shown = settings()
    assert shown["PUBLIC_URL"] == ""
    assert "EMAIL_HOST" not in shown
    assert not shown.get("MAILERS")


def test_mails_can_be_printed():
    assert settings(EMAIL_URL="consolemail://", PUBLIC_URL="https://desk.example/care")


def test_a_weak_key_is_enough_for_debugging():
    assert start(SECRET_KEY="weak", DEBUG="on").returncode == 0


@pytest.mark.parametrize("command", ["migrate", "prune_history", "runserver"])
def test_a_command_says_what_is_wrong_on_one_line(command):
    process = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == (
        "SECRET_KEY is not set. Generate one with: "
        'python -c "import secrets; print(secrets.token_urlsafe(50))"\n'
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "", "DEBUG": "on"}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is weak"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is weak"),
        ({"SECRET_KEY": "django-insecure-" + STRONG_KEY}, "SECRET_KEY is weak"),
        ({"DEBUG": "maybe"}, "DEBUG must be on or off, not 'maybe'."),
        ({"HTTPS": "flase"}, "HTTPS must be on or off, not 'flase'."),
        ({"ALLOWED_HOSTS": "https://desk.example"}, "'https://desk.example' is not one"),
        ({"ALLOWED_HOSTS": "desk.example:8000"}, "'desk.example:8000' is not one"),
        ({"DATABASE_URL": "oracle://u:p@db.example/desk"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "desk.sqlite3"}, "DATABASE_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "$DB"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "$DB", "DB": "sqlite:///x"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "sqlite://desk.sqlite3"}, "DATABASE_URL must begin with"),
        ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL does not name a database"),
        ({"ALLOWED_HOSTS": "$HOST"}, "'$HOST' is not one"),
        ({"DEBUG": "$DEBUG"}, "DEBUG must be on or off, not '$DEBUG'."),
        ({"HTTPS": "$HTTPS"}, "HTTPS must be on or off, not '$HTTPS'."),
        (
            {"DATABASE_URL": "postgresql://u@db.example:port/desk"},
            "DATABASE_URL is not a valid URL",
        ),
        ({"DATABASE_URL": "postgresql://[::1/desk"}, "DATABASE_URL is not a valid URL"),
        ({"DATABASE_URL": "postgresql://"}, "DATABASE_URL does not name a database"),
        ({"DATABASE_URL": "postgresql://h1,h2:5002/desk"}, "give the port of each, or of none"),
        ({"DATABASE_URL": "postgresql://h1:5001,h2/desk"}, "give the port of each, or of none"),
        ({"DATABASE_URL": "postgresql://h1,,h2/desk"}, "servers must be name:port"),
        ({"DATABASE_URL": "postgresql://h1:5432,h2:port/desk"}, "servers must be name:port"),
        ({"DATABASE_URL": "postgresql://h1:5432,h2:99999/desk"}, "servers must be name:port"),
        ({"DATABASE_URL": "postgresql://h1:5432,h2:0/desk"}, "servers must be name:port"),
        (
            {"DATABASE_URL": "postgresql://h1,h2/desk?target_session_attrs=any"},
            "target_session_attrs must be read-write (the default) or primary",
        ),
        ({"DATABASE_URL": "mysql://h1,h2/desk"}, "only PostgreSQL can have several servers"),
        (
            {"DATABASE_URL": "postgresql://h/desk?target_session_atrs=primary"},
            "PostgreSQL has no option 'target_session_atrs'",
        ),
        (
            {"DATABASE_URL": "postgresql://h/desk?connect_timeout=5s"},
            "connect_timeout must be a positive whole number",
        ),
        ({"EMAIL_URL": "smtp+tls://mail.example"}, "EMAIL_URL and PUBLIC_URL: set both"),
        ({"PUBLIC_URL": "https://desk.example"}, "EMAIL_URL and PUBLIC_URL: set both"),
        ({**MAIL, "EMAIL_URL": "smtps://mail.example"}, "EMAIL_URL must begin with smtp+tls://"),
        ({**MAIL, "EMAIL_URL": "mail.example"}, "EMAIL_URL must begin with smtp+tls://"),
        ({**MAIL, "EMAIL_URL": "consolemail://x"}, "EMAIL_URL must begin with smtp+tls://"),
        ({**MAIL, "EMAIL_URL": "smtp://"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://:25"}, "EMAIL_URL does not name a server"),
        ({**MAIL, "EMAIL_URL": "smtp://mail.example:port"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://mail.example:99999"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://[::1"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://mail.example?timeout=1"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://u:p/q@mail.example"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "EMAIL_URL": "smtp://u:p@q@mail.example"}, "EMAIL_URL is not of the form"),
        ({**MAIL, "PUBLIC_URL": "desk.example"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "ftp://desk.example"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "https://desk.example?a=b"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "https://desk.example/#a"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "https://u:p@desk.example"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "https://desk.example:x"}, "PUBLIC_URL must be the address"),
        ({**MAIL, "PUBLIC_URL": "http://desk.example"}, "PUBLIC_URL must begin with https://"),
        (
            {**MAIL, "ALLOWED_HOSTS": "desk.example", "PUBLIC_URL": "https://evil.example"},
            "PUBLIC_URL: 'evil.example' is not in ALLOWED_HOSTS",
        ),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN must have at least 20 characters"),
        ({"METRICS_TOKEN": "t" * 20 + " " + "t"}, "METRICS_TOKEN must have at least 20 characters"),
        ({**MAIL, "EMAIL_FROM": "desk"}, "EMAIL_FROM must be an email address"),
        ({**MAIL, "EMAIL_FROM": "a@b.example, c@d.example"}, "EMAIL_FROM must be an email address"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_its_variable(environment, message):
    process = start(**{"SECRET_KEY": STRONG_KEY, **environment})
    assert process.returncode != 0
    last_line = process.stderr.strip().splitlines()[-1]
    assert last_line.startswith("django.core.exceptions.ImproperlyConfigured: "), process.stderr
    assert message in last_line


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:12sesame/x@db.example/desk",
        "postgresql://u:sesame#x@db.example/desk",
        "postgresql://u:[sesame@db.example/desk",
        "postgresql://u:sesame?x@db.example/desk",
        "u:sesame@db.example/desk",
        "sqlite://u:sesame@db.example/desk",
        "oracle://u:sesame@db.example/desk",
    ],
)
def test_no_part_of_a_password_is_told(url):
    process = start(SECRET_KEY=STRONG_KEY, DATABASE_URL=url)
    assert process.returncode != 0
    assert "ImproperlyConfigured: DATABASE_URL" in process.stderr
    assert "sesame" not in process.stderr


@pytest.fixture
def clone(tmp_path):
    """A copy of the settings, to which a `.env` of its own can be put."""
    for folder in ("config", "users"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def test_the_file_is_taken_literally_too(clone):
    (clone / ".env").write_text(
        f"# a comment\n\nSECRET_KEY=${STRONG_KEY}\nexport DATABASE_URL='sqlite:////$x/a%20b'\n"
    )
    process = start(clone)
    assert process.returncode == 0, process.stderr
    shown = json.loads(process.stdout)
    assert (shown["SECRET_KEY"], shown["DATABASES"]["default"]["NAME"]) == (
        "$" + STRONG_KEY,
        "/$x/a b",
    )


@pytest.mark.parametrize("line", ["DATABASE_URL = {}", "DATABASE_URL: {}", " DATABASE_URL={}"])
def test_a_line_of_the_file_that_sets_nothing_stops_the_start(clone, line):
    url = "postgresql://u:sesame@db.example/desk"
    (clone / ".env").write_text(f"SECRET_KEY={STRONG_KEY}\n{line.format(url)}\n")
    process = start(clone)
    assert "ImproperlyConfigured: .env, line 2: not of the form NAME=value" in process.stderr
    assert "sesame" not in process.stderr


def test_the_default_database_is_where_the_project_is(clone):
    there = clone.rename(clone.parent / "a %20#b?+c")
    process = start(there, SECRET_KEY=STRONG_KEY)
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["DATABASES"]["default"]["NAME"] == str(there / "db.sqlite3")


def test_the_project_passes_djangos_checks_for_deployment():
    process = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "SECRET_KEY": STRONG_KEY,
            "ALLOWED_HOSTS": "desk.example",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr


def test_the_cache_is_the_processs_own_memory_and_there_is_no_rate_limit():
    shown = settings(CACHE_URL="", RATE_LIMIT=" ")
    assert shown["CACHES"]["default"]["BACKEND"].endswith("LocMemCache")
    assert shown["USERS_RATE_LIMIT"] is None


@pytest.mark.parametrize("limit", ["1", "10000", "1000000000"])
def test_a_rate_limit_is_a_number_of_calls(limit):
    assert settings(RATE_LIMIT=limit)["USERS_RATE_LIMIT"] == int(limit)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "1e4", "1_000", "1000000001", "9" * 5000])
def test_a_wrong_rate_limit_is_an_error_that_names_it(limit):
    process = start(SECRET_KEY=STRONG_KEY, RATE_LIMIT=limit)
    assert process.returncode != 0
    assert "RATE_LIMIT must be a number of calls a day from 1 to" in process.stderr


def test_there_are_no_metrics_by_default():
    shown = settings()
    assert shown["METRICS_TOKEN"] == ""
    assert "config.metrics.middleware" not in shown["MIDDLEWARE"]


def test_metrics_are_measured_where_there_is_a_token():
    assert settings(METRICS_TOKEN="t" * 20)["MIDDLEWARE"][0] == "config.metrics.middleware"


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("redis://127.0.0.1:6379/5", "redis://127.0.0.1:6379/5"),
        ("rediss://desk:p%40ss@cache.example", "rediss://desk:p%40ss@cache.example"),
        ("redis://one.example:6379,two.example:6380/1",
         ["redis://one.example:6379/1", "redis://two.example:6380/1"]),
    ],
)  # fmt: skip
def test_a_redis_is_one_url_away(url, location):
    cache = settings(CACHE_URL=url)["CACHES"]["default"]
    assert cache["BACKEND"] == "django.core.cache.backends.redis.RedisCache"
    assert cache["LOCATION"] == location
    assert cache["OPTIONS"] == {"socket_connect_timeout": 1, "socket_timeout": 1}


def test_a_redis_takes_options():
    url = "redis://cache.example/0?key_prefix=desk&socket_timeout=0.5"
    cache = settings(CACHE_URL=url)["CACHES"]["default"]
    assert cache["KEY_PREFIX"] == "desk"
    assert cache["OPTIONS"]["socket_timeout"] == 0.5


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:6379",
        "http://cache.example",
        "redis:cache.example",
        "redis://",
        "redis:///0",
        "redis://cache.example/x",
        "redis://cache.example:x/0",
        "redis://cache.example:99999/0",
        "redis://cache.example/0?no_such_option=1",
        "redis://desk:hidden#secret@cache.example/0",
        "redis://desk:hidden/secret@cache.example/0",
        "redis://desk:hidden@secret@cache.example/0",
    ],
)
def test_a_wrong_cache_url_is_an_error_that_names_it_and_hides_the_password(url):
    process = start(SECRET_KEY=STRONG_KEY, CACHE_URL=url)
    assert process.returncode != 0
    assert "ImproperlyConfigured: CACHE_URL" in process.stderr
    assert "hidden" not in process.stderr
    assert "secret" not in process.stderr
