"""``/livez``: the process answers. ``/readyz``: it can reach what it needs to take an order, and orders move."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.clickjacking import xframe_options_deny

from shop.messaging import brokers
from shop.messaging.sending import crowded_services

STUCK_AFTER = 15.0  # s in which messages wait for a service, and no worker of it answers
ANSWERS_WITHIN = 1.0  # s; it answers between two messages
PATIENCE = 2.0  # s for the broker: if it hangs, orders only wait; shop/tools/up/health.py waits for 3

_moved: dict[str, float] = {}  # by service: when its queue was last seen empty, or a worker answered
_askers = ThreadPoolExecutor(2, "readyz")  # what hangs holds these, and none of the threads that answer


def whatever_the_host(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A middleware. Who probes comes by an address, which need not be in ALLOWED_HOSTS."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in ("/livez", "/readyz") or request.method not in ("GET", "HEAD"):
            return get_response(request)
        request.resolver_match = found = resolve(request.path_info)  # by which it is counted
        answer: HttpResponseBase = xframe_options_deny(found.func)(request)
        return answer

    return answered


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every database answers and no queue stands still, else 503. A broker that is away only makes orders wait,
    and is told as such."""
    checks = {f"database {alias}": _database(alias) for alias in settings.DATABASES}
    broker, queues = _broker_in_time()
    checks |= {f"queue {service}": state for service, state in queues.items()}
    ready = all(state == "ok" for state in checks.values())
    checks["broker"] = broker
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


def _broker_in_time() -> tuple[str, Mapping[str, str]]:
    asked = _askers.submit(_broker)
    try:
        return asked.result(PATIENCE)
    except TimeoutError:
        asked.cancel()
        _moved.clear()
        return "unreachable", {}


def _broker() -> tuple[str, Mapping[str, str]]:
    """Of the broker, and of each service's queue."""
    try:
        crowded = crowded_services(at_least=1)
        answering = _answering() if crowded else set()
    except brokers.AWAY:
        _moved.clear()
        return "unreachable", {}
    now = time.monotonic()
    for service in settings.SERVICES:
        if service not in crowded or service in answering:
            _moved[service] = now
    still = {service for service in crowded if now - _moved.setdefault(service, now) > STUCK_AFTER}
    return "ok", {
        service: f"stands still: no worker answers for {STUCK_AFTER:g} s" if service in still else "ok"
        for service in settings.SERVICES
    }


def _answering() -> set[str]:
    """The services of which a worker answers. It is called after its service: ``payments@host``, ``payments-2@host``."""
    answers = current_app.control.ping(timeout=ANSWERS_WITHIN) or []
    return {name.partition("@")[0].partition("-")[0] for answer in answers for name in answer}
