"""Django's settings of the hand-written system."""

import os

import dj_database_url

from benchmarks import steps

SECRET_KEY = os.urandom(16).hex()
INSTALLED_APPS = ["benchmarks.systems.hand_written"]
DATABASES = {"default": dj_database_url.parse(os.environ[steps.URL], conn_max_age=None)}
USE_TZ = True

CELERY_BROKER_URL = os.environ["REDIS_URL"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 16
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_DB_REUSE_MAX = 1_000_000  # Celery's own default reconnects around every task: less than half as fast
