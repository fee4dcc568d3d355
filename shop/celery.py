"""The Celery application. Rows in the database are the truth; what travels here is a hint to hurry."""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_init
from celery.states import SUCCESS
from kombu.transport import TRANSPORT_ALIASES

from shop.base.priority import give_way
from shop.messaging.brokers import TRANSPORTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

TRANSPORT_ALIASES.update(TRANSPORTS)
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def let_the_web_go_first(**kwargs: Any) -> None:
    give_way()


STILL_GOOD = 1.0  # s after its last use a connection is not asked whether it works
_last_used = {"at": 0.0}


@task_prerun.connect
def drop_dead_connections(**kwargs: Any) -> None:
    """Connections outlive a task (CELERY_DB_REUSE_MAX), and a database may not: after a rest, check before the task, as
    Django does before each request. One that dies while it is used fails a task once; the relay sends that again. A task
    may note that in its own database, and so go well: what broke is checked at once all the same."""
    from django.db import connections

    rested = time.monotonic() - _last_used["at"] > STILL_GOOD
    for connection in connections.all(initialized_only=True):
        if rested or connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()


@task_postrun.connect
def note_last_use(state: str | None = None, **kwargs: Any) -> None:
    """After a task that failed, connections are checked at once."""
    _last_used["at"] = time.monotonic() if state == SUCCESS else 0.0
