"""What customers and staff do with endpoints and messages. None of it calls anybody: that is the sender's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from orders.webhooks.kinds import PING
from orders.webhooks.messages import new_secret
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shop.base.databases import alias_of
from shop.messaging.rows import execute, now_in

OLD_SECRET_COUNTS = timedelta(hours=24)
MOST_OLD_SECRETS = 4  # that count at a time: a message has a signature by each
LOCK = 7_261  # of the advisory locks this room takes, with the customer's id
State = WebhookEndpoint.State


class TooMany(Exception):
    """The customer has as many endpoints as one may have."""


class SecretsCount(Exception):
    """As many old secrets still count as may; the first of them until ``args[0]``."""


class Removed(Exception):
    """It is there no more."""


class PingWaits(Exception):
    """A test is still to be sent."""


class Off(Exception):
    """It is told nothing, so a test would wait."""


def register(customer_id: int, url: str, kinds: Sequence[str]) -> WebhookEndpoint:
    """A new endpoint, with a secret of its own.

    Raises:
        TooMany: nothing was stored.
    """
    with transaction.atomic(using=alias_of(WebhookEndpoint._meta.app_label)):
        # One at a time of each customer: two at once would both find room for one.
        execute(WebhookEndpoint, "SELECT pg_advisory_xact_lock(%s, %s)", LOCK, customer_id % 2**31)
        if WebhookEndpoint.objects.filter(customer_id=customer_id).count() >= settings.WEBHOOKS["ENDPOINTS"]:
            raise TooMany
        return WebhookEndpoint.objects.create(
            customer_id=customer_id,
            url=url,
            kinds=list(dict.fromkeys(kinds)),
            secret=new_secret(),
            created_at=now_in(WebhookEndpoint),
        )


def remove(endpoint: WebhookEndpoint) -> None:
    """With all its messages. The endpoint is locked before them, as by who writes down what came of attempts: the other
    way round the two lock each other out, and one of them fails.
    """
    with transaction.atomic(using=alias_of(WebhookEndpoint._meta.app_label)):
        for found in WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk):
            found.delete()


def renew_secret(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Messages are signed with the old one, too, for a day, however often it is renewed: so a receiver can change over
    without losing one. Returns the endpoint as it now is.

    Raises:
        Removed: by another request, just now.
        SecretsCount: nothing was changed.
    """
    with transaction.atomic(using=alias_of(WebhookEndpoint._meta.app_label)):
        # One after the other: of two at once one would be told a secret that nothing is ever signed with.
        endpoint = _locked(endpoint)
        now = now_in(WebhookEndpoint)
        count = [old for old in endpoint.old_secrets if datetime.fromisoformat(old["until"]) > now]
        if len(count) >= MOST_OLD_SECRETS:
            raise SecretsCount(datetime.fromisoformat(count[-1]["until"]))
        until = (now + OLD_SECRET_COUNTS).isoformat()
        endpoint.old_secrets = [{"secret": endpoint.secret, "until": until}, *count]
        endpoint.secret = new_secret()
        endpoint.save(update_fields=["secret", "old_secrets"])
        return endpoint


def ping(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A message about nothing, so that a receiver can be tried out.

    Raises:
        Off: it is paused or disabled.
        Removed: by another request, just now.
        PingWaits: another one is still to be sent; it is enough.
    """
    with transaction.atomic(using=alias_of(WebhookEndpoint._meta.app_label)):
        endpoint = _locked(endpoint)
        if endpoint.state != State.ON:
            raise Off(endpoint.state)
        if endpoint.deliveries.filter(order_id=None, state__in=WebhookDelivery.PENDING).exists():
            raise PingWaits
        now = now_in(WebhookDelivery)
        times = {"happened_at": now, "due_at": now, "created_at": now}
        return WebhookDelivery.objects.create(uuid=uuid4(), endpoint=endpoint, kind=PING, sequence=0, **times)


def _locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """As it is now, until the transaction ends."""
    found = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if found is None:
        raise Removed
    return found


def resume(endpoint: WebhookEndpoint) -> bool:
    """Tell it again; what still waits for it is sent now. Returns whether it was not told anything until now."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(state=State.ON)
    with transaction.atomic(using=alias_of(WebhookEndpoint._meta.app_label)):
        if not rows.update(state=State.ON, reason="", failures=0, failing_since=None, resting_until=None):
            return False
        endpoint.deliveries.filter(state=WebhookDelivery.State.WAITING, due_at__gt=Now()).update(due_at=Now())
    return True


def pause(endpoint: WebhookEndpoint, by: str) -> bool:
    """Tell it nothing until it is resumed. Returns whether it was told until now."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk, state=State.ON)
    return bool(rows.update(state=State.PAUSED, reason=f"Paused by {by}."))


def send_again(delivery: WebhookDelivery) -> bool:
    """Under the same id, so that a receiver who has it knows it. Returns whether it was not under way already."""
    rows = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=WebhookDelivery.State.SENDING)
    return bool(rows.update(state=WebhookDelivery.State.WAITING, attempts=0, due_at=Now()))
