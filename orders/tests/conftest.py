"""A placed order, and staff who may do what a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order
from orders.tests.timelines import Tell, entry


@pytest.fixture
def order(place_order: Any) -> Order:
    return Order.objects.select_related("saga").get(uuid=place_order().id)


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A client logged in as somebody with just these permissions; a superuser without any named."""

    def login(*permissions: str) -> Client:
        user = get_user_model().objects.create_user(uuid4().hex, is_staff=True, is_superuser=not permissions)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return login


@pytest.fixture
def tell(order: Order) -> Tell:
    """Adds an event to the order's timeline, so many ms after it was placed. Returns its id."""

    def tell(
        ms: int, service: str, event: str, kind: str = "forward", cause: UUID | None = None, **more: Any
    ) -> UUID:
        return entry(order, ms, service, event, kind, cause=cause, **more)

    return tell
