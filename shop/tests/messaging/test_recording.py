"""A change and the event that tells of it are one."""

from __future__ import annotations

import pytest

from orders.models import Outbox
from shop.messaging.recording import recording
from shop.tests.messaging.samples import Rang, ref


@pytest.mark.django_db(databases="__all__")
def test_an_event_is_stored_with_the_change_or_not_at_all() -> None:
    def change_and_break() -> None:
        with recording("orders") as record:
            record.publish(Rang(ref=ref()))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        change_and_break()
    assert not Outbox.objects.exists()
    with recording("orders") as record:
        record.publish(Rang(ref=ref()))
    assert Outbox.objects.get().type == "Rang"
