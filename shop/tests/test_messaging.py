"""The kernel: outbox, relay, inbox. The broker is a real one; what is in its queues is looked at there."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.core.checks import run_checks
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from inventory.events import InventoryRejected
from orders.models import Outbox
from payments.models import Inbox
from payments.models import Outbox as PaymentsOutbox
from shop.base import lookups
from shop.messaging import delivery, relay, subscriptions
from shop.messaging.delivery import Subscription
from shop.messaging.events import Event, Ref, StepFailed, registry, to_payload
from shop.messaging.outcomes import Fault, Outcome, attempt, in_a_word
from shop.messaging.pruning import prune
from shop.messaging.recording import recording
from shop.messaging.retries import next_try


class Rang(Event, frozen=True, kw_only=True):
    """Of these tests only: nobody but them hears it."""


@pytest.fixture(autouse=True, scope="module")
def rang_is_known_here_only() -> Any:
    registry["Rang"] = Rang
    yield
    registry.pop("Rang", None)


LONG_AGO = timezone.now() - timedelta(days=1)  # in a test's one transaction, now() stands still


def ref(style: str = "choreography") -> Ref:
    return Ref(id=uuid4(), number="S-1", style=style)


# --- outcomes -------------------------------------------------------------------------------------------------------


def test_a_fault_in_one_order_sends_the_set_through_one_at_a_time() -> None:
    refs = [ref() for _ in range(5)]
    calls: list[int] = []

    def operation(some: Sequence[Ref]) -> Outcome:
        calls.append(len(some))
        if refs[2] in some:
            raise ValueError("broken")
        return Outcome(done=list(some))

    outcome = attempt(operation, refs, lambda item: item)
    assert calls == [5, 1, 1, 1, 1, 1]
    assert outcome.done == [refs[0], refs[1], refs[3], refs[4]]
    assert list(outcome.faults) == [refs[2]]


def test_an_error_in_a_word_leaves_out_the_lines_below_that_hold_peoples_data() -> None:
    error = ValueError("duplicate key\nDETAIL: Key (email)=(ada@example.invalid) exists.")
    assert in_a_word(error) == "ValueError: duplicate key"


def test_retries_back_off_and_end_with_a_person(settings: Any) -> None:
    settings.RETRIES = {"default": {"attempts": 3, "first": 10.0, "cap": 15.0}}
    first, second, third = (next_try("x.y", attempts) for attempts in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert timedelta(seconds=7.9) < first - timezone.now() < timedelta(seconds=12)
    assert timedelta(seconds=11.9) < second - timezone.now() < timedelta(seconds=18)
    assert third is None


# --- recording ------------------------------------------------------------------------------------------------------


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


# --- delivery -------------------------------------------------------------------------------------------------------


def subscription(reaction: Any, name: str = "payments.react", style: str | None = None) -> Subscription:
    return Subscription(Rang, "payments", name, style, reaction)


@pytest.mark.django_db(databases="__all__")
def test_a_handled_event_is_not_handled_again() -> None:
    seen: list[Event] = []
    events = [Rang(ref=ref()), Rang(ref=ref())]
    for _ in range(3):
        delivery.receive(subscription(seen.extend), events)
    assert seen == events
    assert list(Inbox.objects.values_list("state", flat=True)) == ["done", "done"]


@pytest.mark.django_db(databases="__all__")
def test_a_receiver_hears_only_orders_of_its_style() -> None:
    seen: list[Event] = []
    ours, other = Rang(ref=ref()), Rang(ref=ref("orchestration"))
    delivery.receive(subscription(seen.extend, style="choreography"), [ours, other])
    assert seen == [ours]
    assert Inbox.objects.count() == 1


@pytest.mark.django_db(databases="__all__")
def test_the_inbox_row_is_written_in_the_transaction_of_the_reaction() -> None:
    event = Rang(ref=ref())
    inside: list[int] = []

    def react(events: Sequence[Event]) -> Outcome:
        with recording("payments") as record:
            record.publish(StepFailed(ref=event.ref, operation="x", error="y"))
        inside.append(Inbox.objects.filter(event_id=event.id, state="done").count())
        raise Fault("after the commit")

    delivery.receive(subscription(react), [event])
    assert inside == [1]
    assert Inbox.objects.get().state == "done"  # the reaction is there, so the later fault does not repeat it


@pytest.mark.django_db(databases="__all__")
def test_a_failing_receiver_keeps_its_event_tells_the_order_and_spares_the_neighbours() -> None:
    good, bad = Rang(ref=ref()), Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        return Outcome(faults={event.ref: Fault("broken") for event in events if event is bad})

    delivery.receive(subscription(react), [good, bad])
    assert Inbox.objects.get(event_id=good.id).state == "done"
    row = Inbox.objects.get(event_id=bad.id)
    assert (row.state, row.attempts, row.error, row.payload) == (
        "failing",
        1,
        "Fault: broken",
        to_payload(bad),
    )
    told = PaymentsOutbox.objects.get()
    assert (told.type, told.order_id, told.payload["attempt"]) == ("StepFailed", bad.ref.id, 1)


@pytest.mark.django_db(databases="__all__")
def test_what_keeps_failing_is_parked_and_left_alone_until_it_is_sent_again(settings: Any) -> None:
    settings.RETRIES = {"default": {"attempts": 2, "first": 0.0, "cap": 0.0}}
    event = Rang(ref=ref())
    calls: list[int] = []

    def react(events: Sequence[Event]) -> Outcome:
        calls.append(1)
        raise Fault("broken")

    for _ in range(4):
        delivery.receive(subscription(react), [event], again=True)
    assert len(calls) == 2
    assert Inbox.objects.get().state == "parked"
    assert PaymentsOutbox.objects.order_by("-id")[0].payload["parked"] is True
    Inbox.objects.update(state="failing")
    delivery.receive(subscription(lambda some: None), [event], again=True)
    assert Inbox.objects.get().state == "done"


@pytest.mark.django_db(databases="__all__")
def test_copies_of_an_event_do_not_use_up_the_attempts() -> None:
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Fault("broken")

    for _ in range(8):
        delivery.receive(subscription(react), [event])
    assert (Inbox.objects.get().state, Inbox.objects.get().attempts) == ("failing", 1)


@pytest.mark.django_db(databases="__all__")
def test_a_receiver_that_raises_is_never_silently_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery's signals return a receiver's exception instead of raising it."""

    @subscriptions.when(Rang)
    def loud(events: Sequence[Event]) -> None: ...

    service = subscriptions.of("Rang")[-1].service

    def no_database(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the inbox is out of reach")

    monkeypatch.setattr(delivery, "receive", no_database)
    with pytest.raises(ConnectionError, match="out of reach"):
        delivery.deliver(service, Rang, [to_payload(Rang(ref=ref()))], [])


@pytest.mark.django_db(databases="__all__")
def test_a_message_that_cannot_be_read_is_parked_and_its_neighbours_are_handled() -> None:
    good, bad = to_payload(Rang(ref=ref())), {**to_payload(Rang(ref=ref())), "at": "yesterday"}
    seen: list[Event] = []
    Rang.signal.connect(
        lambda events, **_: seen.extend(events), sender="payments", weak=False, dispatch_uid="unreadable"
    )
    delivery.deliver("payments", Rang, [bad, good], ["payments.react"])
    assert [str(event.id) for event in seen] == [good["id"]]
    row = Inbox.objects.get()
    assert (row.state, row.payload) == ("parked", bad)
    assert "`$.at`" in row.error


def test_connecting_a_receiver_twice_fails_at_startup() -> None:
    def twice(events: Sequence[Event]) -> None: ...

    subscriptions.when(Rang)(twice)
    with pytest.raises(TypeError, match="would never be called"):
        subscriptions.when(Rang)(twice)


def test_two_event_types_of_one_name_fail_at_startup() -> None:
    with pytest.raises(TypeError, match="Two event types are called Rang"):
        type("Rang", (Event,), {})


@pytest.mark.django_db(databases="__all__")
def test_an_event_of_an_order_nobody_placed_does_not_go_round_for_ever() -> None:
    from orders.models import Inbox as OrdersInbox

    for style in ("orchestration", "choreography"):
        event = StepFailed(ref=ref(style), operation="x", error="y")
        for sub in subscriptions.of("StepFailed", style=style):
            delivery.receive(sub, [event])
    assert list(OrdersInbox.objects.values_list("state", flat=True)) == ["done"] * 2
    assert not Outbox.objects.exists()


# --- relay ----------------------------------------------------------------------------------------------------------


def queued(service: str, broker: redis.Redis) -> list[list[dict[str, Any]]]:
    """The sets of events waiting in a service's queue."""
    messages = [json.loads(raw) for raw in broker.lrange(f"shop:{service}", 0, -1)]
    return [json.loads(base64.b64decode(message["body"]))[0][0] for message in messages]


@pytest.fixture
def broker(settings: Any) -> Any:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete(*(f"shop:{service}" for service in settings.SERVICES))
        yield client
        client.delete(*(f"shop:{service}" for service in settings.SERVICES))


def store(count: int = 1, event: type[Event] = StepFailed, **fields: Any) -> list[Event]:
    fields = fields or {"operation": "x", "error": "y"}
    events = [event(ref=ref(), **fields) for _ in range(count)]
    with recording("payments") as record:
        for one in events:
            record.publish(one)
    PaymentsOutbox.objects.update(due_at=LONG_AGO)
    return events


@pytest.mark.django_db(databases="__all__")
def test_the_relay_sends_sets_and_sends_again_what_no_inbox_confirms(
    broker: redis.Redis, settings: Any
) -> None:
    settings.MESSAGING = {**settings.MESSAGING, "SET_SIZE": 3}
    events = store(5)
    assert relay.relay_once("payments") == 5
    assert sorted(len(some) for some in queued("orders", broker)) == [2, 3]
    assert relay.relay_once("payments") == 0  # not due yet
    broker.flushall()
    PaymentsOutbox.objects.update(due_at=LONG_AGO)
    relay.relay_once("payments")
    assert sum(len(some) for some in queued("orders", broker)) == 5
    assert PaymentsOutbox.objects.filter(confirmed_at=None).count() == len(events)


@pytest.mark.django_db(databases="__all__")
def test_an_event_is_done_when_every_receiver_has_it(broker: redis.Redis) -> None:
    from orders.models import Inbox as OrdersInbox

    (event,) = store(event=InventoryRejected, reason="out of stock", skus=[])
    relay.relay_once("payments")
    receivers = [sub.receiver for sub in subscriptions.of("InventoryRejected", style="choreography")]
    assert len(receivers) == 2
    for number, receiver in enumerate(receivers, start=1):
        assert PaymentsOutbox.objects.get().confirmed_at is None
        OrdersInbox.objects.create(
            event_id=event.id, receiver=receiver, type="InventoryRejected", order_id=event.ref.id
        )
        PaymentsOutbox.objects.update(due_at=LONG_AGO)
        relay.relay_once("payments")
        assert len(queued("orders", broker)) == min(1 + number, len(receivers))
    assert PaymentsOutbox.objects.get().confirmed_at is not None


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_relays_never_send_the_same_row(broker: redis.Redis) -> None:
    store(200)
    barrier = threading.Barrier(2)
    counts: list[int] = []

    def run() -> None:
        barrier.wait(10)
        counts.append(relay.relay_once("payments"))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    sent = [event["id"] for some in queued("orders", broker) for event in some]
    assert sum(counts) == len(sent) == len(set(sent)) == 200


@pytest.mark.django_db(databases="__all__")
def test_a_failing_delivery_is_sent_again_on_its_own_when_it_is_due(broker: redis.Redis) -> None:
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Fault("broken")

    delivery.receive(subscription(react), [event])
    PaymentsOutbox.objects.all().delete()
    assert relay.relay_once("payments") == 0
    Inbox.objects.update(due_at=LONG_AGO)
    assert relay.relay_once("payments") == 1
    assert [one["id"] for some in queued("payments", broker) for one in some] == [str(event.id)]


class Row:
    def __init__(self, order_id: int) -> None:
        self.order_id = order_id


@given(st.lists(st.integers(0, 6)), st.integers(1, 4))
def test_a_set_is_bounded_and_holds_an_order_once(order_ids: list[int], size: int) -> None:
    rows: Any = [Row(order_id) for order_id in order_ids]
    cut = list(relay.sets(rows, size))
    assert sorted(map(id, rows)) == sorted(id(row) for some in cut for row in some)
    for some in cut:
        assert 0 < len(some) <= size
        assert len({row.order_id for row in some}) == len(some)


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


# --- look-ups and checks --------------------------------------------------------------------------------------------


def test_asking_what_nobody_answers_says_so() -> None:
    with pytest.raises(LookupError, match="No app answers for Row"):
        lookups.ask(Row, [1])


def test_an_event_nobody_hears_is_found_at_startup() -> None:
    class Unheard(Event, frozen=True, kw_only=True):
        pass

    try:
        assert any("No receiver hears Unheard" in str(error.msg) for error in run_checks())
    finally:
        del registry["Unheard"]
