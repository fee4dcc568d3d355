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
from shop.tests.messaging.samples import confirmed_up_to, store


@pytest.mark.django_db(databases="__all__")
def test_pruning_deletes_only_what_is_over(settings: Any) -> None:
    old = timezone.now() - timedelta(days=settings.MESSAGING["KEEP_DAYS"] + 2)
    store(4)
    due, _confirmed, fresh, unconfirmed = PaymentsOutbox.objects.order_by("id")
    PaymentsOutbox.objects.exclude(pk=fresh.pk).update(created_at=old)
    PaymentsOutbox.objects.exclude(pk=due.pk).update(due_at=None)
    confirmed_up_to("payments", fresh.pk)
    for state in ("done", "parked"):
        Inbox.objects.create(
            event_id=uuid4(), receiver="r", type="Rang", order_id=uuid4(), state=state, received_at=old
        )
    assert prune() == 2
    assert set(PaymentsOutbox.objects.values_list("pk", flat=True)) == {due.pk, fresh.pk, unconfirmed.pk}
    assert Inbox.objects.get().state == "parked"
