"""A shop with a customer in it, who is to be found, and then nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from knox.models import AuthToken

from orders.webhooks.models import WebhookEndpoint
from shop.tools.audit.tests import consistent
from shop.tools.customers.tests.zelda import HOOK, HOOKS_SECRET, MAIL, USERNAME, own


@pytest.fixture
def shelf(outside: Any) -> consistent.Shelf:
    return consistent.Shelf.make()


@pytest.fixture
def zelda(shelf: consistent.Shelf, client: Any) -> User:
    """A customer with two orders, completed and cancelled, mails, notes, a token, a session; and a neighbour's."""
    User.objects.create_user("neighbour")  # whose number the orders are made with
    user = User.objects.create_user(USERNAME, MAIL, "pw-of-zelda", first_name="Zelda", last_name="Quux")
    AuthToken.objects.create(user)
    WebhookEndpoint.objects.create(
        customer_id=user.pk, url=HOOK, secret=HOOKS_SECRET, created_at=timezone.now()
    )
    client.force_login(user)
    own(consistent.completed(shelf) + consistent.cancelled(shelf), user.pk)
    consistent.completed(shelf)
    return user
