"""The Celery application. Rows in the database are the truth; what travels here is a hint to hurry."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def drop_dead_connections(**kwargs: Any) -> None:
    """Connections outlive a task (CELERY_DB_REUSE_MAX), and a database may not: check before each task, as Django does
    before each request."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
