"""The project's settings, read from the environment or a `.env` file.

README.md ("Settings") beside this file lists the variables. If a value is invalid, the project does
not start, and the error names the variable.
"""

import re
from datetime import timedelta
from email.utils import parseaddr
from importlib import import_module
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import django
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.http.request import validate_host
from environ import Env

from users import __version__

BASE_DIR = Path(__file__).resolve().parent.parent


def _read_environment_file(file: Path) -> None:
    if file.exists():
        for number, line in enumerate(file.read_text().splitlines(), 1):
            # django-environ would ignore the line, and print it, although it may hold a secret.
            if not re.match(r"(export )?\w+=|#|$", line, re.ASCII):
                raise ImproperlyConfigured(
                    f"{file.name}, line {number}: not of the form NAME=value."
                )
        Env.read_env(file)


_read_environment_file(BASE_DIR / ".env")


def _boolean(variable: str, default: bool) -> bool:
    value = environ.get(variable, "").strip()
    if not value:
        return default
    if value.lower() in ("on", "true", "yes", "1"):
        return True
    if value.lower() in ("off", "false", "no", "0"):
        return False
    raise ImproperlyConfigured(f"{variable} must be on or off, not '{value}'.")


def _secret_key(debug: bool) -> str:
    key = environ.get("SECRET_KEY", "")
    if not key:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Generate one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    # The conditions of Django's deployment check security.W009.
    weak = len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-")
    if weak and not debug:
        raise ImproperlyConfigured(
            "SECRET_KEY is weak: with DEBUG off it needs at least 50 characters, 5 of them "
            "different, and must not start with 'django-insecure-'."
        )
    return key


def _allowed_hosts() -> list[str]:
    hosts = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",")]
    hosts = [host for host in hosts if host]
    for host in hosts:
        if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9a-fA-F:.]+\]", host):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS must be host names separated by commas, without scheme, port or "
                f"path: '{host}' is not one."
            )
    return hosts


def _parse(url: str) -> dict[str, Any]:
    # Unencoded in a password, these characters would end the server's address.
    if "#" in url or re.match("(postgres|mysql).*://[^/?]*[/?].*@", url):
        raise ValueError
    database: dict[str, Any] = Env.db_url_config(url)
    servers = urlsplit(url).netloc.rpartition("@")[2].split(",")
    # django-environ does not decode hosts, and lowercases one, but a socket's path has capitals.
    if hosts := [unquote(re.sub(r":\d*$", "", server).strip("[]")) for server in servers if server]:
        database["HOST"] = ",".join(hosts)
    return database


def _require_failover(servers: list[str], options: dict[str, Any]) -> None:
    """Check a list of PostgreSQL servers, of which one at a time takes writes."""
    ports = [re.fullmatch(r"[^:]+(?::(\d{1,5}))?", server, re.ASCII) for server in servers]
    if None in ports or any(int(port[1] or 1) not in range(1, 65536) for port in ports if port):
        raise ImproperlyConfigured(
            "DATABASE_URL: servers must be name:port, separated by commas, with ports up to 65535."
        )
    # libpq takes a single port for all servers: with `one,two:5433`, both would be on 5433.
    if len({bool(port and port[1]) for port in ports}) > 1:
        raise ImproperlyConfigured(
            "DATABASE_URL: with several servers, give the port of each, or of none (then 5432)."
        )
    # No reading from replicas: a token that was revoked would pass while they lag.
    if options.setdefault("target_session_attrs", "read-write") not in ("read-write", "primary"):
        raise ImproperlyConfigured(
            "DATABASE_URL: with several servers, target_session_attrs must be read-write (the "
            "default) or primary."
        )


def _require_options(options: dict[str, Any]) -> None:
    """Check the names of a PostgreSQL connection's options."""
    if not find_spec("psycopg"):
        raise ImproperlyConfigured(
            "DATABASE_URL needs the extra `postgresql`: add --extra postgresql to your `uv sync` "
            "command."
        )
    known = {
        option.keyword.decode() for option in import_module("psycopg.pq").Conninfo.get_defaults()
    }
    # Of Django's own and of `users.db.postgresql`.
    known |= {
        "assume_role",
        "isolation_level",
        "max_wait",
        "prepare_threshold",
        "server_side_binding",
    }
    if unknown := sorted(options.keys() - known):
        raise ImproperlyConfigured(f"DATABASE_URL: PostgreSQL has no option '{unknown[0]}'.")
    for name in ("connect_timeout", "max_wait", "tcp_user_timeout"):
        if name in options and not (isinstance(options[name], int) and options[name] > 0):
            raise ImproperlyConfigured(f"DATABASE_URL: {name} must be a positive whole number.")


def _database() -> dict[str, Any]:
    url = environ.get("DATABASE_URL", f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}")
    if not re.match(r"sqlite:///|postgres(ql)?://|mysql://", url):
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with sqlite:///, postgresql:// or mysql://."
        )
    try:
        database = _parse(url)
    except ValueError:
        # Without the cause, which can contain a part of the password.
        raise ImproperlyConfigured(
            "DATABASE_URL is not a valid URL. Percent-encode all characters but letters, digits "
            "and -._~ in names and the password: # as %23, / as %2F, @ as %40."
        ) from None
    if not urlsplit(url).path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL does not name a database.")
    engine = database["ENGINE"]
    options = database.setdefault("OPTIONS", {})
    servers = urlsplit(url).netloc.rpartition("@")[2].split(",")
    if len(servers) > 1:
        if engine != "django.db.backends.postgresql":
            raise ImproperlyConfigured("DATABASE_URL: only PostgreSQL can have several servers.")
        _require_failover(servers, options)
    if engine == "django.db.backends.sqlite3":
        # WAL: readers do not wait for the writer. IMMEDIATE: a transaction waits for the write lock
        # when it begins; one that acquires it later fails instead of waiting.
        options.setdefault("init_command", "PRAGMA journal_mode=WAL")
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 20)  # seconds
    else:
        # Each thread of each worker keeps its connection, and replaces it if it was closed.
        database.setdefault("CONN_MAX_AGE", None)
        database.setdefault("CONN_HEALTH_CHECKS", True)
        options.setdefault("connect_timeout", 3)  # seconds
        # These limits apply to commands too. `config.serving` adds those for requests.
        if engine == "django.db.backends.postgresql":
            _require_options(options)
            database["ENGINE"] = "users.db.postgresql"
            options.setdefault("options", "-c lock_timeout=10s")
            # A server that cannot be reached any more is noticed within seven seconds, whether a
            # connection waits for it or rests.
            options.setdefault("tcp_user_timeout", 5_000)  # milliseconds
            options.setdefault("keepalives_idle", 5)  # seconds
            options.setdefault("keepalives_interval", 1)  # seconds
            # Required to prepare statements on the server (`users.db.postgresql`).
            options.setdefault("server_side_binding", True)
        else:
            # The feed of changes relies on a bound for transactions (`users.feed.MARIADB_HOLD`).
            limits = "SET innodb_lock_wait_timeout=10, idle_transaction_timeout=60"
            options.setdefault("init_command", limits)
    return database


def _cache() -> dict[str, Any]:
    url = environ.get("CACHE_URL", "").strip()
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if not re.match(r"rediss?://", url):
        raise ImproperlyConfigured("CACHE_URL must begin with redis:// or rediss:// (TLS).")
    if not find_spec("redis"):
        raise ImproperlyConfigured(
            "CACHE_URL needs the extra `redis`: add --extra redis to your `uv sync` command."
        )
    try:
        # Unencoded in a password, these characters would end the server's address.
        if not re.fullmatch(r"rediss?://([^/?#@]*@)?[^/?#@]+(/[0-9]*)?(\?[^#]*)?", url):
            raise ValueError
        cache = Env.cache_url_config(url, backend="django.core.cache.backends.redis.RedisCache")
        # django-environ lowers all names in the query, Django's own (`KEY_PREFIX`) too.
        cache = {name.upper(): value for name, value in cache.items()}
        options = cache.setdefault("OPTIONS", {})
        # A call does not wait for a cache that hangs.
        options.setdefault("socket_connect_timeout", 1)  # seconds
        options.setdefault("socket_timeout", 1)
        pool = import_module("redis").ConnectionPool
        locations = cache["LOCATION"]
        for server in [locations] if isinstance(locations, str) else locations:
            pool.from_url(server, **options).make_connection()  # which does not connect yet
    except (TypeError, ValueError):
        # Without the cause, which can contain a part of the password.
        raise ImproperlyConfigured(
            "CACHE_URL is not of the form redis://name:password@server:port/number. Percent-encode "
            "all characters but letters, digits and -._~ in the name and the password: # as %23, "
            "/ as %2F, @ as %40."
        ) from None
    return cache


def _rate_limit() -> int | None:
    limit = environ.get("RATE_LIMIT", "").strip()
    if not limit:
        return None
    # The bounds of an access token's own limit.
    if not (re.fullmatch("[0-9]{1,10}", limit) and 1 <= int(limit) <= 1_000_000_000):
        raise ImproperlyConfigured(
            "RATE_LIMIT must be a number of calls a day from 1 to 1000000000, or empty for no "
            f"limit, not '{limit}'."
        )
    return int(limit)


def _metrics_token() -> str:
    token = environ.get("METRICS_TOKEN", "").strip()
    if token and not find_spec("prometheus_client"):
        raise ImproperlyConfigured(
            "METRICS_TOKEN needs the extra `metrics`: add --extra metrics to your `uv sync` "
            "command."
        )
    if token and not re.fullmatch(r"[A-Za-z0-9\-._~+/=]{20,}", token):
        raise ImproperlyConfigured(
            "METRICS_TOKEN must have at least 20 characters, all of them letters, digits or "
            "-._~+/=, or be empty for no metrics."
        )
    return token


def _mail_server() -> dict[str, Any] | None:
    """Return the mail backend and its options, or None if no mail is sent."""
    url = environ.get("EMAIL_URL", "").strip()
    if not url:
        return None
    # Not django-environ's `smtps://`: it is STARTTLS there, and TLS from the start elsewhere.
    ports = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
    scheme = url.partition(":")[0]
    if url == "consolemail://":
        return {"BACKEND": Env.email_url_config(url)["EMAIL_BACKEND"], "OPTIONS": {}}
    if scheme not in ports:
        raise ImproperlyConfigured(
            "EMAIL_URL must begin with smtp+tls:// (STARTTLS), smtp+ssl:// (TLS from the start) or "
            "smtp://, or be consolemail://."
        )
    try:
        # Unencoded in a password, these characters would end the server's address.
        if not re.fullmatch(r"[^:]+://([^/?#@]*@)?[^/?#@]+/?", url):
            raise ValueError
        mail = Env.email_url_config(url)
    except ValueError:
        # Without the cause, which can contain a part of the password.
        raise ImproperlyConfigured(
            "EMAIL_URL is not of the form smtp+tls://name:password@server:port. Percent-encode all "
            "characters but letters, digits and -._~ in the name and the password: # as %23, / as "
            "%2F, @ as %40."
        ) from None
    options = {
        "host": mail["EMAIL_HOST"],
        "port": mail["EMAIL_PORT"] or ports[scheme],
        "username": mail["EMAIL_HOST_USER"] or "",
        "password": mail["EMAIL_HOST_PASSWORD"] or "",
        "use_tls": scheme == "smtp+tls",
        "use_ssl": scheme == "smtp+ssl",
        "timeout": 10,  # seconds
    }
    if not options["host"]:
        raise ImproperlyConfigured("EMAIL_URL does not name a server.")
    return {"BACKEND": mail["EMAIL_BACKEND"], "OPTIONS": options}


def _public_url() -> str:
    url = environ.get("PUBLIC_URL", "").strip()
    if not url:
        return ""
    form = re.fullmatch(
        r"(https?)://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?(/[\w.~/-]*)?", url, re.ASCII
    )
    if form is None:
        raise ImproperlyConfigured(
            "PUBLIC_URL must be the address that people open the project at, such as "
            f"https://desk.example, without query or fragment, not '{url}'."
        )
    if HTTPS and form[1] != "https":
        raise ImproperlyConfigured("PUBLIC_URL must begin with https://, because HTTPS is on.")
    if ALLOWED_HOSTS and not validate_host(form[2].lower(), ALLOWED_HOSTS):
        raise ImproperlyConfigured(f"PUBLIC_URL: '{form[2]}' is not in ALLOWED_HOSTS.")
    return url


def _sender() -> str:
    sender = environ.get("EMAIL_FROM", "").strip()
    if not sender:
        return f"no-reply@{urlsplit(PUBLIC_URL).hostname}"
    try:
        if "\n" in sender or "," in sender:
            raise ValidationError("not one address")
        validate_email(parseaddr(sender)[1])
    except ValidationError:
        raise ImproperlyConfigured(
            f"EMAIL_FROM must be an email address, such as desk@desk.example, not '{sender}'."
        ) from None
    return sender


DEBUG = _boolean("DEBUG", default=False)
SECRET_KEY = _secret_key(DEBUG)
ALLOWED_HOSTS = _allowed_hosts()
HTTPS = _boolean("HTTPS", default=not DEBUG)
DATABASES = {"default": _database()}
CACHES = {"default": _cache()}
USERS_RATE_LIMIT = _rate_limit()
METRICS_TOKEN = _metrics_token()

INSTALLED_APPS = [
    "config",
    "users",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
]
if find_spec("drf_spectacular") and find_spec("drf_spectacular_sidecar"):  # the extra `openapi`
    INSTALLED_APPS += ["drf_spectacular", "drf_spectacular_sidecar"]
    REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Desk users",
    "DESCRIPTION": "The users of a customer-care chat platform.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    # The page's assets are served from here, not from a CDN.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
MIDDLEWARE = [
    "config.health.middleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.content_security_policy",
    "config.middleware.SessionMiddleware",
    "config.middleware.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.middleware.AuthenticationMiddleware",
    "users.middleware.ActingMiddleware",
    "config.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
if METRICS_TOKEN:
    MIDDLEWARE.insert(0, "config.metrics.middleware")
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "users.User"
SESSION_ENGINE = "users.sessions"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "users.backends.LoginBackend",
]
# Lock an address out of an account. To lock the account would let anybody lock out administrators;
# to lock the address would lock out everybody behind it.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"  # the form's field, not the model's
AXES_USERNAME_CALLABLE = "config.lockout.account"
AXES_CLIENT_IP_CALLABLE = "config.lockout.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # as the message says
AXES_LOCKOUT_CALLABLE = "config.lockout.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
# Its tables say nothing to operators, and a lock-out ends by itself (or by `axes_reset`).
AXES_ENABLE_ADMIN = False
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator",
        # Django's own names for the first two are `username` and `email`.
        "OPTIONS": {"user_attributes": ("login_id", "email_id", "first_name", "last_name")},
    },
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator"},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATORS}.NumericPasswordValidator"},
]

USE_TZ = True
TIME_ZONE = "UTC"
# Of pages, and of mails that no page asks for.
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("de", "German"),
    ("en", "English"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("hi", "Hindi"),
]
# Messages that Django itself has not in these languages.
LOCALE_PATHS = [BASE_DIR / "config" / "django_locale"]
# Both are for invitations (`users.invitations`).
PUBLIC_URL = _public_url()
_MAIL_SERVER = _mail_server()
if bool(PUBLIC_URL) != bool(_MAIL_SERVER):
    raise ImproperlyConfigured("EMAIL_URL and PUBLIC_URL: set both, or neither to send no mail.")
if _MAIL_SERVER:
    DEFAULT_FROM_EMAIL = _sender()
if django.VERSION >= (6, 1):
    MAILERS = {"default": _MAIL_SERVER} if _MAIL_SERVER else {}
elif _MAIL_SERVER:
    EMAIL_BACKEND = _MAIL_SERVER["BACKEND"]
    EMAIL_HOST = _MAIL_SERVER["OPTIONS"].get("host")
    EMAIL_PORT = _MAIL_SERVER["OPTIONS"].get("port")
    EMAIL_HOST_USER = _MAIL_SERVER["OPTIONS"].get("username")
    EMAIL_HOST_PASSWORD = _MAIL_SERVER["OPTIONS"].get("password")
    EMAIL_USE_TLS = _MAIL_SERVER["OPTIONS"].get("use_tls")
    EMAIL_USE_SSL = _MAIL_SERVER["OPTIONS"].get("use_ssl")
    EMAIL_TIMEOUT = _MAIL_SERVER["OPTIONS"].get("timeout")

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

# A form of the admin site may have as many fields, and be as long, as what it edits. The most: a
# user with 100 custom attributes and 100 skills of 50 choices each, beside 800 other definitions
# (11,000 fields); a definition with 1,000 choices of 255 characters, each 12 bytes as a browser
# sends it and 16 more as what the page showed (7 MB).
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20

SILENCED_SYSTEM_CHECKS = []
if not _MAIL_SERVER:
    SILENCED_SYSTEM_CHECKS.append("mail.W001")  # no mailer: no mail is sent
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 31_536_000  # a year
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000  # a year
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Joining the browsers' preload list is up to the owner of the domain.
    SILENCED_SYSTEM_CHECKS.append("security.W021")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"format": "{message}", "style": "{"},
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    # Django's own handler logs nothing to the console with DEBUG off.
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "requests": {"class": "logging.StreamHandler", "formatter": "json"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Responses are in the request log below, and the app logs the traceback of a 500.
        "django.request": {"level": "ERROR"},
        "users.requests": {"handlers": ["requests"], "level": "INFO", "propagate": False},
    },
}
