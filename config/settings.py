"""Django settings. What a deployment may choose comes from the environment (README, "Settings").

Without DATABASE_URL the program is in embedded mode: a PostgreSQL of its own under CARRYOVER_HOME,
a secret key of its own, this machine only. With it, it is in production and asks for what it needs.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp import constants as csp
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config.home import REPOSITORY, carryover_home, read_or_create_secret
from config.logs import logging_configuration

django_stubs_ext.monkeypatch()  # generic classes may name their types: ModelAdmin[Run], Field[…]

env = environ.Env()

BASE_DIR = REPOSITORY
CARRYOVER_HOME: Path = carryover_home()
EMBEDDED: bool = not env.str("DATABASE_URL", default="")
DEBUG: bool = env.bool("DEBUG", default=False)

# Days for which journals are kept once a run is done; then `datamigrate purge` may remove them.
CARRYOVER_JOURNAL_RETENTION_DAYS: int = env.int("CARRYOVER_JOURNAL_RETENTION_DAYS", default=90)

# Whether 03/04/2025 in legacy and imported data is the third of April.
CARRYOVER_DAY_FIRST: bool = env.bool("CARRYOVER_DAY_FIRST", default=True)

# Whom commands act as; empty: the system account.
CARRYOVER_ACTOR: str = env.str("CARRYOVER_ACTOR", default="")

# The project of agent sessions where neither the person nor a primary project decides.
DEFAULT_PROJECT_NAME: str = env.str("DEFAULT_PROJECT_NAME", default="")

# ----------------------------------------------------------------------------- secrets and hosts


def _secret_key() -> str:
    key = os.environ.get("SECRET_KEY", "")  # environ takes a “$” for the name of another variable
    if key:
        return key
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "DATABASE_URL is set but SECRET_KEY is not: set SECRET_KEY to a long random text that "
            "stays the same on every machine of this installation."
        )
    try:
        return read_or_create_secret(CARRYOVER_HOME / "secret-key", get_random_secret_key)
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"The folder {CARRYOVER_HOME} belongs to another user: set CARRYOVER_HOME to a folder "
            "of your own."
        ) from error


SECRET_KEY: str = _secret_key()
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else []
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

HTTPS: bool = env.bool("CARRYOVER_HTTPS", default=not EMBEDDED and not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
# Probes and Prometheus ask the process itself, behind whatever ends HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^health/(live|ready)$", r"^metrics$"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS: int = env.int("CARRYOVER_HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS: bool = env.bool("CARRYOVER_HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD: bool = env.bool("CARRYOVER_HSTS_PRELOAD", default=False)
# Whether all sub-domains are HTTPS, and preloaded, is for the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if env.bool("CARRYOVER_TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Nothing is loaded from elsewhere, and no script or style stands in a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "img-src": [csp.SELF, "data:"],
        "object-src": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
    }
}

# ----------------------------------------------------------------------------- applications

INSTALLED_APPS = [
    "migrations_tools.admin_site.CarryoverAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_linear_migrations",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "health_check",
    "knox",
    "rest_framework",
    "simple_history",
    "migrations_tools",
    "sessions_app",
    "guarantees",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "migrations_tools.api.request_ids.request_id_middleware",
    "migrations_tools.api.query_counts.query_count_middleware",
    "csp.middleware.CSPMiddleware",
    "migrations_tools.api.envelopes.envelope_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who failed too often
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT: int = env.int("CARRYOVER_LOGIN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("CARRYOVER_LOGIN_COOLOFF_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "carryover/locked_out.html"

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # also where the address to go on to is another site's

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# ----------------------------------------------------------------------------- database


def _database() -> dict[str, Any]:
    if EMBEDDED:
        from config.embedded.server import EmbeddedServer

        database: dict[str, Any] = EmbeddedServer(CARRYOVER_HOME).database_settings()
    else:
        database = env.db("DATABASE_URL", engine="django_prometheus.db.backends.postgresql")
    return database | {
        "ATOMIC_REQUESTS": False,  # actions open their own transactions
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),  # seconds
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_HISTORY_ID_USE_UUID = False
SIMPLE_HISTORY_DATE_INDEX = "Composite"

# ----------------------------------------------------------------------------- Redis and Celery

REDIS_URL: str = env.str("REDIS_URL", default="")
CELERY_BROKER_URL: str | None = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "migrations_tools.sweep", "schedule": 10.0}}  # seconds
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {  # seconds; a person's action does not wait for the broker
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "carryover",
        }
    }

# ----------------------------------------------------------------------------- runs

# Times of day between which runs may work, such as 22:00-05:00; empty: always.
CARRYOVER_RUN_WINDOWS: list[str] = env.list("CARRYOVER_RUN_WINDOWS", default=[])
# Limits of the database's signs of strain, by name; see docs/operations.md.
CARRYOVER_LIMITS: dict[str, float] = env.json("CARRYOVER_LIMITS", default={})
# What comes before a real run: data migration, or *, to approval, dry_run, rehearsal.
CARRYOVER_POLICIES: dict[str, list[str]] = env.json("CARRYOVER_POLICIES", default={})

# What Prometheus shows to read /metrics; empty: only people with the permission view_run do.
CARRYOVER_METRICS_TOKEN: str = os.environ.get("CARRYOVER_METRICS_TOKEN", "")

# Where notices of runs are sent, in the words of apprise: `mailtos://…`, `slack://…`, `jsons://…`.
CARRYOVER_NOTICE_URLS: list[str] = env.list("CARRYOVER_NOTICE_URLS", default=[])

# ----------------------------------------------------------------------------- collaboration

# People of one session, invited ones included.
CARRYOVER_COLLABORATION_CAPACITY: int = env.int("CARRYOVER_COLLABORATION_CAPACITY", default=100)
# Domains whose addresses may be invited; empty: all.
CARRYOVER_COLLABORATION_DOMAINS: list[str] = env.list("CARRYOVER_COLLABORATION_DOMAINS", default=[])

# ----------------------------------------------------------------------------- letters

# Who writes to banks. Lines of an address are parted by |. Without the Arabic words, the others.
CARRYOVER_LETTER_ORGANISATION: str = env.str("CARRYOVER_LETTER_ORGANISATION", default="")
CARRYOVER_LETTER_ORGANISATION_AR: str = env.str("CARRYOVER_LETTER_ORGANISATION_AR", default="")
CARRYOVER_LETTER_ADDRESS: str = env.str("CARRYOVER_LETTER_ADDRESS", default="")
CARRYOVER_LETTER_ADDRESS_AR: str = env.str("CARRYOVER_LETTER_ADDRESS_AR", default="")
CARRYOVER_LETTER_SIGNATORY: str = env.str("CARRYOVER_LETTER_SIGNATORY", default="")
CARRYOVER_LETTER_SIGNATORY_AR: str = env.str("CARRYOVER_LETTER_SIGNATORY_AR", default="")
CARRYOVER_LETTER_SIGNATORY_TITLE: str = env.str("CARRYOVER_LETTER_SIGNATORY_TITLE", default="")
CARRYOVER_LETTER_SIGNATORY_TITLE_AR: str = env.str(
    "CARRYOVER_LETTER_SIGNATORY_TITLE_AR", default=""
)

# ----------------------------------------------------------------------------- API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "migrations_tools.api.authentication.TokenAuthentication",
        "migrations_tools.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["migrations_tools.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "migrations_tools.api.schema.EnvelopeSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.AnonRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.str("CARRYOVER_API_RATE", default="1200/min"),
        "anon": env.str("CARRYOVER_API_RATE_STRANGERS", default="60/min"),
    },
    "EXCEPTION_HANDLER": "migrations_tools.api.errors.handle_error",
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=env.int("CARRYOVER_TOKEN_HOURS", default=10)),
    "AUTO_REFRESH": False,
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Carryover",
    "DESCRIPTION": "Carries legacy session data over into a sound model; proves and undoes it.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    # choices stand where they are used: names shared by several resources would collide
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enum_id_removal"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# ----------------------------------------------------------------------------- language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["migrations_tools.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE: str = env.str("CARRYOVER_TIME_ZONE", default="Asia/Riyadh")

# ----------------------------------------------------------------------------- files

STATIC_URL = "static/"
STATIC_ROOT = None if EMBEDDED else CARRYOVER_HOME / "static"
MEDIA_ROOT = CARRYOVER_HOME / "uploads"  # never served: uploads are read by imports only
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # bytes of a request body without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a bulk decision sends one field a row
DATA_UPLOAD_MAX_NUMBER_FILES = 20
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = EMBEDDED  # served from where they lie; production collects them

# ----------------------------------------------------------------------------- logs

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_configuration(
    log_format=env.str("LOG_FORMAT", default="console" if EMBEDDED else "json"),
    level=env.str("LOG_LEVEL", default="INFO"),
)
