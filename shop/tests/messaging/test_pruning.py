"""What is over is deleted, in its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from payments.models import Inbox
from payments.models import Outbox as PaymentsOutbox
from shop.messaging.pruning import prune
from shop.tests.messaging.samples import store


@pytest.mark.django_db(databases="__all__")
def test_pruning_deletes_only_what_is_over(settings: Any) -> None:
    old = timezone.now() - timedelta(days=settings.MESSAGING["KEEP_DAYS"] + 2)
    store(3)
    confirmed, fresh, _ = PaymentsOutbox.objects.order_by("id")
    PaymentsOutbox.objects.filter(pk=confirmed.pk).update(confirmed_at=old)
    PaymentsOutbox.objects.filter(pk=fresh.pk).update(confirmed_at=timezone.now())
    for state in ("done", "parked"):
        Inbox.objects.create(
            event_id=uuid4(), receiver="r", type="Rang", order_id=uuid4(), state=state, received_at=old
        )
    assert prune() == 2
    assert PaymentsOutbox.objects.count() == 2
    assert Inbox.objects.get().state == "parked"
