"""``/livez``: the process answers. ``/readyz``: it can reach what it needs to take an order."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, JsonResponse


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every database answers, else 503. A broker that is away only makes orders wait, and is told as such."""
    checks = {f"database {alias}": _database(alias) for alias in settings.DATABASES}
    ready = all(state == "ok" for state in checks.values())
    checks["broker"] = _broker()
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503
    )


def _database(alias: str) -> str:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _broker() -> str:
    try:
        with redis.Redis.from_url(
            settings.CELERY_BROKER_URL, socket_timeout=1, socket_connect_timeout=1
        ) as broker:
            broker.ping()
    except redis.RedisError:
        return "unreachable"
    return "ok"
