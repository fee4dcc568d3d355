"""The kernel's tests know an event of their own, and look into the broker's queues."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from celery import current_app

from shop.messaging import subscriptions
from shop.messaging.events import registry
from shop.tests.messaging.samples import Rang


@pytest.fixture(autouse=True)
def nobody_hears_rang_afterwards() -> Any:
    yield
    for subscription in subscriptions.of("Rang"):
        subscriptions.remove(subscription)
        current_app.tasks.pop(subscriptions.task_name(subscription.service, "Rang"), None)


@pytest.fixture(autouse=True, scope="module")
def rang_is_known_here_only() -> Any:
    registry["Rang"] = Rang
    yield
    registry.pop("Rang", None)


@pytest.fixture
def broker(settings: Any) -> Any:
    if settings.BROKER.is_rabbitmq:
        pytest.skip("it looks into the lists that are Redis's queues")
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete(*(f"shop:{service}" for service in settings.SERVICES))
        yield client
        client.delete(*(f"shop:{service}" for service in settings.SERVICES))
