"""All settings, from the environment. Every lever of the system is here, with its default and what it is for."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlparse

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from shop.messaging.brokers import broker
from shop.messaging.logging_settings import FORMATS, logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


# --- The style of coordination ------------------------------------------------------------------------------------
# Decided when an order is placed and kept with the order, so it can be flipped while orders are in flight.
STYLES = ("orchestration", "choreography")
FULFILLMENT_STYLE = env("FULFILLMENT_STYLE", "orchestration")
if FULFILLMENT_STYLE not in STYLES:
    raise ImproperlyConfigured(
        f"FULFILLMENT_STYLE is {FULFILLMENT_STYLE!r}; it must be one of {', '.join(STYLES)}."
    )

# --- Messaging: the levers of shop/messaging ----------------------------------------------------------------------
MESSAGING = {
    "SET_SIZE": int(env("MESSAGING_SET_SIZE", "200")),  # orders in one message, at the most
    "RESEND_AFTER": float(
        env("MESSAGING_RESEND_AFTER", "5")
    ),  # s until an unconfirmed event is sent again; doubles
    "RESEND_CAP": float(
        env("MESSAGING_RESEND_CAP", "60")
    ),  # s, the longest wait between two sends of one event
    # s in which a reaction to an event or a command is expected, where none is declared; silence is shown as an incident
    "REACT_WITHIN": float(env("MESSAGING_REACT_WITHIN", "15")),
    "CLAIM_SIZE": 500,  # outbox rows one relay takes at once
    "GATHER_FOR": 0.05,  # s in which events that are only to be noted are gathered
    # s, the relay looks this often by itself, for rows of which no NOTIFY came, what is unconfirmed, and overdue sagas
    "POLL_EVERY": float(env("MESSAGING_POLL_EVERY", "1")),
}
# Policies: attempts until it is parked for a person, first wait and longest wait in seconds. Which one holds for an
# operation stands where it is published, in its app's tasks.py.
RETRIES = {
    "default": {
        "attempts": int(env("RETRY_ATTEMPTS", "8")),
        "first": float(env("RETRY_FIRST", "1")),
        "cap": 60.0,
    },
    "persistent": {
        "attempts": 20,
        "first": 1.0,
        "cap": 300.0,
    },  # for what others wait for outside: undos, the hand-over
}
# A saga that made no progress for this long is resumed; then when it has stood still as long again, up to the cap (s).
SAGA_DEADLINE = float(env("SAGA_DEADLINE", "5"))
SAGA_DEADLINE_CAP = 300.0

# --- History: days for which what is over is kept; then the relay deletes it, see shop/messaging/pruning.py ---------
# Orders, reservations, payments, shipments and notifications are business records: they stay.
RETENTION = {
    "MESSAGES": int(env("MESSAGING_KEEP_DAYS", "90")),  # events that all have; inbox rows: a day longer
    "TIMELINE": int(env("TIMELINE_KEEP_DAYS", "365")),  # of orders that ended so long ago
    "MAILS": int(env("MAILS_KEEP_DAYS", "365")),  # in the shop's own mailbox
}

# --- Outside services ---------------------------------------------------------------------------------------------
PAYMENTS_URL = env("PAYMENTS_URL", "http://127.0.0.1:9001")
CARRIER_URL = env("CARRIER_URL", "http://127.0.0.1:9002")
# An outside provider that is away is no order's fault. It is tried so often (s), and waited for up to the limit (s): then
# attempts count again, and orders are parked for a person.
PROBE_EVERY = float(env("PROBE_EVERY", "5"))
OUTAGE_LIMIT = float(env("OUTAGE_LIMIT_HOURS", "24")) * 3600
# Calls to a provider under way at once, from one process: as many as it lets a shop make. A set takes a round of the
# provider's time for each so many, or part of them: with a slow one MESSAGING_SET_SIZE had best be a multiple.
PROVIDER_CALLS_AT_ONCE = int(env("PROVIDER_CALLS_AT_ONCE", "64"))
# The class of the client of each: a dotted path. It is constructed with the URL above, once per process.
PAYMENTS_GATEWAY = env("PAYMENTS_GATEWAY", "payments.gateway.SandboxGateway")
CARRIER = env("CARRIER", "shipping.carrier.SandboxCarrier")

# --- Demo: a page in the admin that kills workers and worse, of the shop that `up` runs on this computer -------------
# `up` sets it, with the data folder in which it listens; nothing else does. Without it the page is not there.
DEMO = env("DEMO") == "1"
DATA = env("SHOP_DATA")

# --- Django -------------------------------------------------------------------------------------------------------
DEBUG = env("DEBUG") == "1"
# Without SECRET_KEY each process signs with a key of its own: fine for commands, and `up` and compose always set it.
SECRET_KEY = env("SECRET_KEY") or secrets.token_urlsafe(50)
PUBLIC_URL = env("PUBLIC_URL", "http://127.0.0.1:8000")
FLOWER_URL = env("FLOWER_URL").rstrip("/")  # an order's page leads to its tasks there; empty: it does not
ALLOWED_HOSTS = env("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
_https = urlparse(PUBLIC_URL).scheme == "https"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024  # bytes of a request body; an order of 1,000 lines takes about 60 kB

SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")
# Relay and workers show no pages: without what only the web needs they start in less time and memory. manage.py says so.
PAGES = env("PAGES", "1") == "1"
WEB_APPS = [
    "shop.web.apps.ShopAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
INSTALLED_APPS = [*(WEB_APPS if PAGES else ()), *SERVICES, "shop"]
MIDDLEWARE = [
    "shop.base.requests.with_its_id",
    "shop.base.policy.policy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "shop.web.urls" if PAGES else ""
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "shop" / "templates"],  # before the admin's own, which it extends
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = (
    True  # serves the packages' own files as they are: no collectstatic before the first page
)
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "shop.web.formats"  # 24 hours, and seconds
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]


# --- Databases: one for all, or one per app by <APP>_DATABASE_URL -------------------------------------------------
# Every wait has an end (ms), so that a process that hangs, or is frozen within a transaction, holds up nobody for long.
# manage.py lifts the limit of a statement for commands that have long ones, such as `migrate`.
DATABASE_WAITS = {
    "lock_timeout": env("DATABASE_LOCK_TIMEOUT", "4000"),
    "idle_in_transaction_session_timeout": env("DATABASE_IDLE_TIMEOUT", "8000"),
    "statement_timeout": env("DATABASE_STATEMENT_TIMEOUT", "30000"),
}
# A host that vanishes ends no connection: after 10 s (ms, s, s, times) it is given up, not after TCP's 15 minutes.
DATABASE_VANISHED = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def database(url: str) -> dict[str, object]:
    # Set SQL binds on the server (shop/messaging/rows.py): what a connection runs a second time is prepared.
    found = dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)
    waits = " ".join(f"-c {name}={value}" for name, value in DATABASE_WAITS.items())
    defaults = {"prepare_threshold": 1, "connect_timeout": 5, "options": waits, **DATABASE_VANISHED}
    return {**found, "OPTIONS": {**defaults, **found.get("OPTIONS", {})}}


DATABASES = {"default": database(env("DATABASE_URL", "postgres://127.0.0.1:5432/shop"))}
for _service in SERVICES:
    if _url := env(f"{_service.upper()}_DATABASE_URL"):
        DATABASES[_service] = database(_url)
DATABASE_ROUTERS = ["shop.base.databases.OneDatabasePerApp"]

# --- Mail: kept in the database and shown in the admin, or any other Django backend -------------------------------
EMAIL_BACKEND = env("EMAIL_BACKEND", "notifications.mailbox.MailboxBackend")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "shop@localhost")
EMAIL_TIMEOUT = 10

# --- Redis: the cache, which counts attempts to log in across processes; chords join in it; and the broker by default -
REDIS_URL = env("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "web",
    }
}

# --- REST ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "shop.base.api.problems.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shop",
    "DESCRIPTION": "Place orders and follow them. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Celery: docs/decisions/ says why each differs from the default ----------------------------------------------
# The broker is Redis, or RabbitMQ by BROKER_URL=amqp://user:password@host/vhost; docs/decisions/20 has its needs.
REDIS_PREFIX = _prefix = env("REDIS_PREFIX", "shop:")
BROKER = broker(env("BROKER_URL"), SERVICES, _prefix)
CELERY_BROKER_URL = env("BROKER_URL") or REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = BROKER.transport_options
CELERY_RESULT_BACKEND = REDIS_URL  # chords join there
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"global_keyprefix": _prefix}
CELERY_BROKER_HEARTBEAT = (
    0  # a solo worker sends none while it works; a dead peer is TCP's keep-alive to find
)
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker; the database keeps the work
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True  # but for chord headers, which ask for theirs
CELERY_RESULT_EXPIRES = 3600
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = BROKER.queues
CELERY_TASK_DEFAULT_QUEUE = "orders"
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0.1,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # what waits behind a slow message, an idle worker can't take
CELERY_WORKER_CONSUMER = "shop.messaging.consumer:GuardedConsumer"
# With one process a worker there is nothing to cancel: it only spares the log a long warning whenever the broker is lost.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1_000_000  # reconnecting around every task costs more than the task
CELERY_TIMEZONE = "UTC"  # Flower shows times in it, else in each browser's own

# --- Logs and metrics: docs/monitoring.md --------------------------------------------------------------------------
LOG_FORMAT = env("LOG_FORMAT") or ("plain" if os.isatty(2) else "json")  # json: an object a line
if LOG_FORMAT not in FORMATS:
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}; it must be one of {', '.join(FORMATS)}.")
LOG_EVENTS = env("LOG_EVENTS", "1") == "1"  # a line at INFO for each event of each order
LOGGING = logging_settings(LOG_FORMAT, env("LOG_LEVEL", "INFO"), events=LOG_EVENTS)
LOG_SIZE = int(float(env("LOG_SIZE_MB", "10")) * 1e6)  # of what `up` starts, a larger log is set aside,
LOG_KEPT = int(env("LOG_KEPT", "4"))  # and of each so many are kept
METRICS_BASIC_AUTH = env("METRICS_BASIC_AUTH")  # user:password; beyond loopback there are no metrics without
# Traces by OTLP over HTTP, to who collects them (http://127.0.0.1:4318); empty: none. It takes requirements-otel.txt.
OTLP_ENDPOINT = env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or env("OTEL_EXPORTER_OTLP_ENDPOINT")
TRACES_SHARE = float(env("OTEL_TRACES_SAMPLER_ARG", "1"))  # of the orders: 0.01 tells of one in a hundred, whole
