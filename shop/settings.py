"""All settings, from the environment. Every lever of the system is here, with its default, its bounds and what it is for.

The comment above a variable is its line in docs/settings.md. All that is wrong is said at the end, at once.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import urlparse

from shop.base.environment import Environment
from shop.base.postgres import VANISHED, database
from shop.messaging.brokers import TRANSPORTS, broker
from shop.messaging.logging_settings import FORMATS, logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
env = ENVIRONMENT = Environment(os.environ)
_WEB = ("http", "https")

# --- The style of coordination ------------------------------------------------------------------------------------
# Decided when an order is placed and kept with the order, so it can be flipped while orders are in flight.
STYLES = ("orchestration", "choreography")
# How orders placed from now on are coordinated.
FULFILLMENT_STYLE = env.choice("FULFILLMENT_STYLE", STYLES, "orchestration")

# --- Messaging: the levers of shop/messaging ----------------------------------------------------------------------
MESSAGING = {
    # Orders in one message, at the most.
    "SET_SIZE": env.whole("MESSAGING_SET_SIZE", 200, 1, 10_000),
    # s until an unconfirmed event is sent again; doubles.
    "RESEND_AFTER": env.number("MESSAGING_RESEND_AFTER", 5, 0.1, 3600),
    # s, the longest wait between two sends of one event.
    "RESEND_CAP": env.number("MESSAGING_RESEND_CAP", 60, 0.1, 86_400),
    # s in which a reaction to an event or a command is expected, where none is declared; silence is shown as an incident.
    "REACT_WITHIN": env.number("MESSAGING_REACT_WITHIN", 15, 0.1, 86_400),
    "CLAIM_SIZE": 500,  # outbox rows one relay takes at once
    "GATHER_FOR": 0.05,  # s in which events that are only to be noted are gathered
    # s, the relay looks this often by itself, for rows of which no NOTIFY came, what is unconfirmed, and overdue sagas.
    "POLL_EVERY": env.number("MESSAGING_POLL_EVERY", 1, 0.01, 60),
}
# Policies: attempts until it is parked for a person, first wait and longest wait in seconds. Which one holds for an
# operation stands where it is published, in its app's tasks.py.
RETRIES = {
    "default": {
        # Attempts until an operation is parked for a person.
        "attempts": env.whole("RETRY_ATTEMPTS", 8, 1, 100),
        # s before the second attempt; doubles, up to 60.
        "first": env.number("RETRY_FIRST", 1, 0, 60),
        "cap": 60.0,
    },
    # For what others wait for outside: undos, the hand-over.
    "persistent": {"attempts": 20, "first": 1.0, "cap": 300.0},
}
# s without progress after which a saga is resumed; then when it has stood still as long again, up to 300.
SAGA_DEADLINE = env.number("SAGA_DEADLINE", 5, 0.1, 300)
SAGA_DEADLINE_CAP = 300.0

# --- History: days for which what is over is kept; then the relay deletes it, see shop/messaging/pruning.py, and the web
# process what is people's, see shop/tools/customers/clearing.py ------------------------------------------------------
# Orders, reservations, payments, shipments and notifications are business records: they stay, without whom they were for.
RETENTION = {
    # Days for which events are kept that all have; inbox rows: a day longer.
    "MESSAGES": env.whole("MESSAGING_KEEP_DAYS", 90, 0, 36_500),
    # Days for which the timeline is kept of orders that have ended.
    "TIMELINE": env.whole("TIMELINE_KEEP_DAYS", 365, 0, 36_500),
    # Days for which mails are kept in the shop's own mailbox.
    "MAILS": env.whole("MAILS_KEEP_DAYS", 365, 0, 36_500),
    # Days for which messages to customers' servers are kept.
    "WEBHOOKS": env.whole("WEBHOOKS_KEEP_DAYS", 30, 0, 36_500),
    # Days for which names, addresses, payment tokens, tracking numbers and notes are kept of orders that have ended; 0:
    # for ever. By default as long as invoices must be kept where that is longest: set it to what holds for you.
    "PEOPLE": env.whole("PEOPLE_KEEP_DAYS", 3_650, 0, 36_500),
    # Days for which the accounts of guests are kept after they last bought; 0: for ever.
    "GUESTS": env.whole("GUESTS_KEEP_DAYS", 30, 0, 36_500),
}

# --- Outside services ---------------------------------------------------------------------------------------------
# Of the payment provider; `up` starts a sandbox.
PAYMENTS_URL = env.url("PAYMENTS_URL", "http://127.0.0.1:9001", _WEB)
# Of the carrier; `up` starts a sandbox.
CARRIER_URL = env.url("CARRIER_URL", "http://127.0.0.1:9002", _WEB)
# s between two tries of an outside provider that is away: that is no order's fault.
PROBE_EVERY = env.number("PROBE_EVERY", 5, 0.1, 3600)
# Hours for which such an outage is waited out; then attempts count again, and orders are parked for a person.
OUTAGE_LIMIT = env.number("OUTAGE_LIMIT_HOURS", 24, 0, 8760) * 3600
# Calls to a provider under way at once, from one process: as many as it lets a shop make. A set takes a round of the
# provider's time for each so many, or part of them: with a slow one MESSAGING_SET_SIZE had best be a multiple.
PROVIDER_CALLS_AT_ONCE = env.whole("PROVIDER_CALLS_AT_ONCE", 64, 1, 1000)
# Class of the payment provider's client, constructed with the URL above, once per process.
PAYMENTS_GATEWAY = env.dotted("PAYMENTS_GATEWAY", "payments.gateway.SandboxGateway")
# Class of the carrier's client, likewise.
CARRIER = env.dotted("CARRIER", "shipping.carrier.SandboxCarrier")

# --- Webhooks: `manage.py webhooks` tells customers' servers of their orders' changes, see docs/webhooks.md ----------
WEBHOOKS = {
    # Also http, and addresses within this network: only to try it out.
    "ANYWHERE": env.switch("WEBHOOKS_ANYWHERE"),
    # Webhooks that a customer may have.
    "ENDPOINTS": env.whole("WEBHOOKS_ENDPOINTS", 10, 0, 1000),
    # s in which a customer's server must answer, connecting included.
    "ANSWER_WITHIN": env.number("WEBHOOKS_ANSWER_WITHIN", 10, 0.1, 60),
    # Calls to customers' servers under way at once, from one process: a thread each.
    "AT_ONCE": env.whole("WEBHOOKS_AT_ONCE", 64, 1, 1000),
    # s between two looks for messages that are due.
    "LOOK_EVERY": env.number("WEBHOOKS_LOOK_EVERY", 0.5, 0.01, 60),
    # s before a message is sent a second time; waits grow to 6 h, over three days.
    "RETRY_FIRST": env.number("WEBHOOKS_RETRY_FIRST", 5, 0, 3600),
}

# --- Demo: of the shop that `up` runs on this computer ----------------------------------------------------------------
# A page in the admin that kills workers and worse: `up` sets it, nothing else does. Without it the page is not there.
DEMO = env.switch("DEMO")
# The data folder, set by `up` for its processes: they leave signs of life there and listen to the page above. Other
# commands find by it the shop that `up` runs there, as with `--data`.
DATA = env.folder("SHOP_DATA")

# --- Django -------------------------------------------------------------------------------------------------------
# Django's pages for developers where something breaks; never where others can reach it.
DEBUG = env.switch("DEBUG")
# What sessions are signed with: at least 50 random characters. Without one each process signs with a key of its own: fine
# for commands, and `up` and compose always set it.
SECRET_KEY = env.text("SECRET_KEY") or secrets.token_urlsafe(50)
# Where people find the shop. With https, cookies, redirects and HSTS are set for it.
PUBLIC_URL = env.url("PUBLIC_URL", "http://127.0.0.1:8000", _WEB)
# An order's page leads to its tasks there; empty: it does not.
FLOWER_URL = env.url("FLOWER_URL", "", _WEB).rstrip("/")
# Under which names the shop answers.
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
_https = urlparse(PUBLIC_URL).scheme == "https"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
# The browser takes a cookie of such a name from this host alone, and only over https.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = [
    f"__Host-{name}" if _https else name for name in ("sessionid", "csrftoken")
]
CSRF_COOKIE_HTTPONLY = True  # no script reads it: forms bring their token
# Days for which a customer's basket, and a guest's sight of their orders, stay in a browser.
SESSION_COOKIE_AGE = env.whole("SESSION_DAYS", 14, 1, 365) * 86_400
# Hours after which staff log in again.
STAFF_SESSION_AGE = env.whole("STAFF_SESSION_HOURS", 12, 1, 168) * 3600
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
# Connections of one address, of the 2,000 that the web process takes. 0: any number, where all come from one proxy that
# bounds its own clients.
CONNECTIONS_PER_ADDRESS = env.whole("CONNECTIONS_PER_ADDRESS", 500, 0, 100_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024  # bytes of a request body; an order of 1,000 lines takes about 60 kB

SERVICES = ("orders", "inventory", "payments", "shipping", "notifications")
# Relay and workers show no pages: without what only the web needs they start in less time and memory. manage.py says so.
PAGES = env.switch("PAGES", on=True)
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
    "shop.web.health.whatever_the_host",
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
AUTHENTICATION_BACKENDS = [
    "shop.web.guesses.Brake",  # lets nobody in, and the next one be asked only so often
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ),
    {"NAME": "shop.web.sessions.TokensEnd"},
]


# --- Databases: one for all, or one per app by <APP>_DATABASE_URL -------------------------------------------------
# Every wait has an end (ms), so that a process that hangs, or is frozen within a transaction, holds up nobody for long.
# manage.py lifts the limit of a statement for commands that have long ones, such as `migrate`.
DATABASE_WAITS = {
    # ms for which a statement waits for a row that another holds; 0: without an end.
    "lock_timeout": env.whole("DATABASE_LOCK_TIMEOUT", 4000, 0, 3_600_000),
    # ms in which a transaction must go on; 0: without an end.
    "idle_in_transaction_session_timeout": env.whole("DATABASE_IDLE_TIMEOUT", 8000, 0, 3_600_000),
    # ms one statement may take; 0: without an end.
    "statement_timeout": env.whole("DATABASE_STATEMENT_TIMEOUT", 30_000, 0, 3_600_000),
}
# Values are people's data: PostgreSQL writes none beside a statement that failed. What only a server's owner can set, so
# that it repeats no row either, `up` and compose set on theirs: docs/security.md.
DATABASE_DISCRETION = {"log_parameter_max_length_on_error": 0}
DATABASE_VANISHED = VANISHED
_told = {**DATABASE_WAITS, **DATABASE_DISCRETION}
# The database all apps share.
_url = env.database("DATABASE_URL", "postgres://127.0.0.1:5432/shop")
DATABASES = {"default": database(_url, _told)}
for _service in SERVICES:
    # A database of this app's own.
    if _url := env.database(f"{_service.upper()}_DATABASE_URL"):
        DATABASES[_service] = database(_url, _told)
DATABASE_ROUTERS = ["shop.base.databases.OneDatabasePerApp"]

# --- Mail: kept in the database and shown in the admin, or any other Django backend -------------------------------
# The class that sends mails, such as django.core.mail.backends.smtp.EmailBackend.
EMAIL_BACKEND = env.dotted("EMAIL_BACKEND", "notifications.mailbox.MailboxBackend")
# The sender of mails.
DEFAULT_FROM_EMAIL = env.mail("DEFAULT_FROM_EMAIL", "shop@localhost")
EMAIL_TIMEOUT = 10

# --- Redis: the cache and the brakes; chords join in it; and the broker by default --------------------------------
# Of Valkey or Redis.
REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", ("redis", "rediss"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "web",
    }
}

# --- Brakes: how often something may be done, at once after a rest, and then evenly in each period; docs/security.md -
RATES = {
    # Orders of a customer.
    "placing": env.rate("PLACING_RATE", "600/minute"),
    # Orders from an address, of people nobody knows.
    "guests": env.rate("GUEST_RATE", "60/minute"),
    # All else that changes something over the API, of a customer.
    "changing": env.rate("CHANGING_RATE", "300/minute"),
    # What is read over the API, of a customer, or an address.
    "reading": env.rate("READING_RATE", "6000/minute"),
    # Attempts to log in from an address, right or wrong.
    "logins": env.rate("LOGIN_RATE", "30/minute"),
    # Wrong passwords of an account from an address, and of Flower.
    "guesses": env.rate("GUESS_RATE", "10/15 minutes"),
    # Wrong passwords of an account from wherever it was never logged in.
    "account": env.rate("ACCOUNT_GUESS_RATE", "100/hour"),
}
# How many proxies that we run add to X-Forwarded-For. Without any, nobody can be believed in what stands there.
NUM_PROXIES = env.whole("NUM_PROXIES", 0, 0, 10)
# Placing is answered 503 when orders have waited for their turn for longer (s); 0: never. See orders/admission.py.
ADMISSION_MAX_AGE = env.number("ADMISSION_MAX_AGE", 15, 0, 86_400)

# --- REST ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["knox.auth.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a question like any other: the Accept header says it
    "EXCEPTION_HANDLER": "shop.base.api.problems.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shop",
    "DESCRIPTION": "Place orders and follow them. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",  # its schemas are JSON Schema as it is, which any validator reads
    "COMPONENT_SPLIT_REQUEST": True,  # what is sent has limits of its own, such as texts that may not be empty
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # the values say it
    "SERVE_INCLUDE_SCHEMA": False,
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "DEFAULT_GENERATOR_CLASS": "shop.base.api.page.OncePerProcess",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Celery: docs/decisions/ says why each differs from the default ----------------------------------------------
# Before the names of all keys in Redis, but the cache's.
REDIS_PREFIX = _prefix = env.text("REDIS_PREFIX", "shop:")
# The broker, where it is another than the Redis above: RabbitMQ by amqp://user:password@host/vhost; docs/decisions/20 has
# its needs.
_broker_url = env.url("BROKER_URL", "", tuple(TRANSPORTS))
BRAKES_PREFIX = f"{_prefix}brake:"
BROKER = broker(_broker_url, SERVICES, _prefix)
CELERY_BROKER_URL = _broker_url or REDIS_URL
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
# How a log is written: json, an object a line; plain, as it is in a terminal unless this says otherwise.
LOG_FORMAT = env.choice("LOG_FORMAT", FORMATS, "plain" if os.isatty(2) else "json")
# What is logged, from this level on.
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
# A line at INFO for each event of each order.
LOG_EVENTS = env.switch("LOG_EVENTS", on=True)
LOGGING = logging_settings(LOG_FORMAT, LOG_LEVEL, events=LOG_EVENTS)
# MB: of what `up` starts, a larger log is set aside.
LOG_SIZE_MB = env.number("LOG_SIZE_MB", 10, 0.01, 10_000)
# Logs set aside that are kept of each process.
LOG_KEPT = env.whole("LOG_KEPT", 4, 1, 1000)
# user:password of the metrics; beyond loopback there are none without.
METRICS_BASIC_AUTH = env.text("METRICS_BASIC_AUTH")
# Where traces are sent to, as OTLP over HTTP; not set, there are none. It takes requirements-otel.lock.
OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", "", _WEB)
# The share of the orders that is traced: 0.01 tells of one in a hundred, whole.
TRACES_SHARE = env.number("OTEL_TRACES_SAMPLER_ARG", 1, 0, 1)

env.check()
