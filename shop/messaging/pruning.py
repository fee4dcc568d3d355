"""Old rows: what is confirmed and handled is kept for a while as history, then deleted."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from shop.messaging.outbox import confirmed_until
from shop.messaging.tables import inbox_of, outbox_of, services

BATCH = 10_000


def prune() -> int:
    """Delete confirmed events and what their receivers noted, past ``KEEP_DAYS``; a batch per table. Returns how many.

    Only a confirmed event is never sent again, so an inbox row goes a day later than the event it answers.
    """
    before = timezone.now() - timedelta(days=settings.MESSAGING["KEEP_DAYS"])
    deleted = 0
    for service in services():
        outbox, inbox = outbox_of(service)._default_manager, inbox_of(service)._default_manager
        told = outbox.filter(pk__lte=confirmed_until(service), due_at=None, created_at__lt=before)
        told = told.order_by("pk")[:BATCH]
        deleted += outbox.filter(pk__in=list(told.values_list("pk", flat=True))).delete()[0]
        done = inbox.filter(state="done", received_at__lt=before - timedelta(days=1)).order_by("pk")[:BATCH]
        deleted += inbox.filter(pk__in=list(done.values_list("pk", flat=True))).delete()[0]
    return deleted
