"""Commands that nobody answers: as an event's silence is seen, so is theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from orders import saga as sagas
from orders.models import Incident, Order, Outbox, Saga, TimelineEntry
from shop.messaging import queues
from shop.messaging.events import Ref

COMMANDED, HEARD = "orchestration", "choreography"
LONG = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def getting_on(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The services that get on with their work, as a test says."""
    some: set[str] = set()
    for module in (sagas, queues):
        monkeypatch.setattr(module, "crowded_services", dict)
    monkeypatch.setattr(queues, "gets_on", lambda service: service in some)
    return some


@pytest.fixture
def late(place_order: Any) -> Any:
    def late(style: str = COMMANDED) -> Saga:
        """The saga of an order whose stock was to be reserved long ago."""
        ref: Ref = place_order()
        Order.objects.filter(uuid=ref.id).update(style=style)
        (row,) = Outbox.objects.filter(order_id=ref.id)
        order = Order.objects.get(uuid=ref.id)
        TimelineEntry.objects.create(order=order, event_id=row.event_id, at=timezone.now(), event=row.type)
        overdue(order.saga)
        return order.saga

    return late


def overdue(saga: Saga, moved: timedelta = LONG, **more: Any) -> None:
    Outbox.objects.update(claims=1, due_at=None)  # nothing waits at the entrance
    moved_at = timezone.now() - moved
    Saga.objects.filter(pk=saga.pk).update(
        deadline=timezone.now() - timedelta(seconds=1), moved_at=moved_at, **more
    )


def silent() -> list[tuple[str, str]]:
    sagas.wake_overdue()
    return list(Incident.objects.filter(closed_at=None).values_list("receiver", "type"))


EDGE = ("inventory.reserve_stock", "OrderCreated")


def test_a_command_nobody_answers_is_an_incident_until_somebody_does(late: Any) -> None:
    saga = late()
    assert silent() == [EDGE]
    row = Incident.objects.get()
    assert (row.order_id, row.number, row.within) == (saga.order.uuid, saga.order.number, 15.0)
    assert silent() == [EDGE]
    Saga.objects.update(step="reserved")
    assert silent() == []


def test_a_failure_is_an_answer(late: Any) -> None:
    saga = late()
    assert silent() == [EDGE]
    Saga.objects.filter(pk=saga.pk).update(attempt=1, last_error="inventory: no")
    assert silent() == []
    overdue(saga)
    assert silent() == []


def test_it_has_its_time(late: Any) -> None:
    saga = late()
    overdue(saga, moved=timedelta(seconds=14))
    assert silent() == []


def test_who_waits_his_turn_is_not_silent(late: Any, getting_on: set[str]) -> None:
    getting_on.add("inventory")
    saga = late()
    assert silent() == []
    getting_on.clear()
    overdue(saga)
    assert silent() == [EDGE]


def test_who_was_overtaken_is_silent(late: Any, getting_on: set[str]) -> None:
    getting_on.add("inventory")
    late()
    other = late()
    overdue(other, moved=timedelta(0))
    told = {"order": other.order, "at": timezone.now(), "event_id": uuid4()}
    TimelineEntry.objects.create(event="InventoryReserved", **told)
    assert silent() == [EDGE]


def test_where_the_service_hears_the_event_itself_the_relay_looks_after_it(late: Any) -> None:
    late(HEARD)
    assert silent() == []
