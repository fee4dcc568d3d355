"""Why an order does not move, in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orders import saga as sagas
from orders.lookups import DeliveryAddress
from orders.models import Inbox, Incident, Order, Outbox, Saga
from orders.process import FORWARD, PROCESS, awaited
from orders.telling import trouble
from orders.telling.situation import Elsewhere, elsewhere
from orders.telling.trouble import in_short, needing, why_it_waits
from orders.tests.pages import parked
from shop.base.holds import user_of
from shop.base.spans import offset, span
from shop.messaging.events import StepFailed
from shop.messaging.outages import Outage
from shop.messaging.tables import inbox_of


def test_why_it_waits_tells_of_every_service(order: Order) -> None:
    for service in ("inventory", "payments"):
        parked(service, order)
    parked("shipping", order, state="failing", attempts=1, due_at=timezone.now() + timedelta(seconds=30))
    parked("notifications", order, state="done")
    sentences = [finding.text for finding in why_it_waits(order)]
    assert any(s.startswith("inventory.act failed on OrderCreated, 8 times: no answer.") for s in sentences)
    assert any(s.startswith("payments.act failed") and "parked" in s for s in sentences)
    assert any(
        s.startswith("shipping.act failed on OrderCreated, once") and "again in" in s for s in sentences
    )
    assert not any("notifications.act" in sentence for sentence in sentences)


def test_why_it_waits_names_whose_inbox_lacks_an_event_and_not_those_that_have_it(order: Order) -> None:
    row = Outbox.objects.get(order_id=order.uuid, type="OrderCreated")
    Outbox.objects.filter(pk=row.pk).update(claims=3, due_at=timezone.now() + timedelta(seconds=9))
    have = {"order_id": order.uuid, "number": order.number, "type": row.type, "event_id": row.event_id}
    Inbox.objects.create(receiver="orders.note_progress", **have)
    (lacking,) = [finding.text for finding in why_it_waits(order) if finding.table == "outbox"]
    assert lacking.startswith("OrderCreated of orders was sent 3 times, but inventory.reserve_stock has not")
    inbox_of("inventory")._default_manager.create(receiver="inventory.reserve_stock", **have)
    assert not [finding for finding in why_it_waits(order) if finding.table == "outbox"]


def test_why_it_waits_says_that_no_relay_seems_to_run(order: Order) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    Outbox.objects.filter(order_id=order.uuid).update(due_at=long_ago)
    order.saga.deadline = long_ago
    assert all("is a relay running?" in finding.text for finding in why_it_waits(order))


@pytest.mark.parametrize(
    ("state", "expected"), [("parked", "waits for a person"), ("ended", "is at its end")]
)
def test_why_it_waits_begins_with_the_saga(order: Order, state: str, expected: str) -> None:
    order.saga.state, order.saga.deadline = state, None
    assert expected in why_it_waits(order)[0].text


@pytest.mark.parametrize(
    ("step", "undo", "expected"),
    [
        (
            "labelled",
            "requested",
            "void of the parcels' labels; refund of {total}; release of the reserved stock",
        ),
        ("paid", "stopped", "refund of {total}; release of the reserved stock; message to the customer"),
        ("paid", "requested", "void of the parcels' labels, should it have been labelled; refund of {total}"),
        ("reserved", "stopped", "refund of {total}, should it have been paid; release of the reserved stock"),
        ("placed", "stopped", "release of the reserved stock, should it have been reserved; message"),
        ("reserved", "cancelled", "message to the customer"),
    ],
)
def test_an_undo_that_has_failed_for_good_needs_attention_and_says_what_is_owed(
    order: Order, step: str, undo: str, expected: str
) -> None:
    order.saga.step, order.saga.undo, order.saga.deadline = step, undo, timezone.now()
    sagas.failed(order.saga, StepFailed(ref=order.ref, operation="x", error="no", attempt=20), timezone.now())
    assert order.saga.state == "running"  # not one of its steps: it is played on
    failure = StepFailed(
        ref=order.ref, operation=awaited(undo).operation, error="no", attempt=20, parked=True
    )
    sagas.failed(order.saga, failure, timezone.now())
    assert order.saga.state == Saga.State.NEEDS_ATTENTION
    expected = f"Owed: {expected.format(total=order.total)}"
    assert expected in why_it_waits(order)[0].text
    assert why_it_waits(order)[0].text.startswith("It needs attention: what undoes it has failed for good.")
    assert expected in in_short(order, elsewhere())[1]


def test_a_step_forward_that_fails_for_good_does_not_hold_up_an_order_that_is_being_undone(
    order: Order,
) -> None:
    order.saga.undo = "requested"
    failure = StepFailed(ref=order.ref, operation="payments.take_payment", error="no", attempt=8, parked=True)
    sagas.failed(order.saga, failure, timezone.now())
    assert (order.saga.state, order.saga.last_error) == ("running", "")


def test_who_is_silent_is_named_and_queueing_is_told_from_it(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = Elsewhere(now=timezone.now(), away={}, silent=(), queueing={"inventory": 340})
    assert in_short(order, around) == ("waiting", "placed, waits for inventory, behind 340 messages")
    monkeypatch.setattr(trouble, "elsewhere", lambda: around)
    assert "340 messages are before inventory" in why_it_waits(order)[0].text
    minute_ago = timezone.now() - timedelta(minutes=1)
    Incident.objects.create(
        event_id=uuid4(),
        receiver="inventory.reserve_stock",
        type="OrderCreated",
        order_id=order.uuid,
        since=minute_ago,
        within=15,
    )
    around = replace(around, silent={order.uuid})
    (found,) = [finding for finding in why_it_waits(order) if finding.table == "incident"]
    assert found.text.startswith(
        "inventory.reserve_stock is silent: it was to react to OrderCreated within 15 s, and has done nothing since"
    )
    assert "look into the log of the worker of inventory" in found.text  # what a person can do
    assert in_short(order, around)[0] == "trouble"
    assert list(Order.objects.filter(needing("silent"))) == [order]


def test_while_a_provider_is_down_what_waits_for_it_is_no_trouble_and_no_relay_is_missed(
    order: Order,
) -> None:
    minute_ago = timezone.now() - timedelta(minutes=1)
    parked("payments", order, state="failing", attempts=0, due_at=minute_ago)
    parked("shipping", order, state="failing", attempts=0, due_at=minute_ago)
    away = Outage("The payment provider", minute_ago, "can't be reached", probe_due=False, is_waited_for=True)
    around = replace(elsewhere(), away={"payments": away})
    waits, other = (finding for finding in why_it_waits(order, around) if finding.table == "inbox")
    assert (waits.service, waits.level) == ("payments", "waiting")
    assert waits.text.endswith("It is tried again once the provider answers.")
    assert (other.service, other.level) == ("shipping", "trouble")
    assert "is a relay running?" in other.text


def test_of_those_who_are_silent_the_one_that_is_waited_for_comes_first(order: Order) -> None:
    waits_for = awaited(order.saga.position).operation
    for receiver in (f"{waits_for.partition('.')[0]}.other", waits_for):
        of_order = {"order_id": order.uuid, "number": order.number, "style": order.style}
        since = timezone.now() - timedelta(minutes=1)
        Incident.objects.create(
            **of_order, event_id=uuid4(), receiver=receiver, type="OrderCreated", since=since, within=15
        )
    assert why_it_waits(order)[0].text.startswith(f"{waits_for} is silent")


def test_a_failure_is_told_in_words_once_and_what_helps_against_it(order: Order) -> None:
    needs_address, *_ = (move for move in PROCESS if move.operation == user_of(DeliveryAddress).operation)
    before = PROCESS[PROCESS.index(needs_address) - 1].position
    order.saga.step, order.saga.state, order.saga.deadline = before, Saga.State.PARKED, None
    order.saga.last_error = f"{needs_address.operation}: the address can't be read"
    parked(needs_address.service, order, error="the address can't be read.")
    sentence, row = (finding.text for finding in why_it_waits(order) if finding.table != "outbox")
    words = needs_address.operation.partition(".")[2].replace("_", " ")
    assert sentence.startswith(
        f"It is parked and waits for a person: {words} failed: the address can't be read. It has"
    )
    assert "If the address is the cause, correct it" in sentence
    assert "can't be read" not in row
    assert needs_address.operation not in f"{sentence}{in_short(order, elsewhere())}"
    order.saga.step = FORWARD[0]  # it waits for another step, which no address helps
    assert "correct it" not in why_it_waits(order)[0].text


def test_lengths_of_time_are_said_as_people_say_them() -> None:
    told = [span(timedelta(seconds=s)) for s in (-1, 0.012, 1.24, 184, 7500, 360_000)]
    assert told == ["0 ms", "12 ms", "1.2 s", "3 min 4 s", "2 h 5 min", "4 d 4 h"]
    after = [offset(timedelta(seconds=s)) for s in (0.012, 1.24, 59.97, 184.26, 7507.9, 360_420)]
    assert after == ["+12 ms", "+1.2 s", "+1 min 0.0 s", "+3 min 4.3 s", "+2 h 5 min 7 s", "+4 d 4 h 7 min"]
