"""A placed order, and staff who may do what a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Order


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
