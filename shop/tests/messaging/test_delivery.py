"""The inbox: an event is handled once by every receiver, or waits, or is parked; and harms no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.conf import settings

from orders.models import Inbox as OrdersInbox
from orders.models import Outbox
from payments.models import Inbox
from payments.models import Outbox as PaymentsOutbox
from shop.messaging import delivery, subscriptions
from shop.messaging.dead_letters import Unreadable
from shop.messaging.events import Event, StepFailed, to_payload
from shop.messaging.outcomes import Fault, Outcome, Unavailable
from shop.messaging.recording import recording
from shop.messaging.rows import as_json
from shop.messaging.sending import send_on
from shop.messaging.when import when
from shop.tests.messaging.samples import Rang, ref, subscription


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
        "broken",
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

    delivery.receive(subscription(react), [event])
    for _ in range(4):
        Inbox.objects.update(claims=1)  # as the relay does that sends it
        delivery.receive(subscription(react), [event], again=True)
    assert len(calls) == 2
    assert Inbox.objects.get().state == "parked"
    assert PaymentsOutbox.objects.order_by("-id")[0].payload["parked"] is True
    Inbox.objects.update(state="failing", claims=1)
    delivery.receive(subscription(lambda some: None), [event], again=True)
    assert Inbox.objects.get().state == "done"


@pytest.mark.django_db(databases="__all__")
def test_copies_of_an_event_do_not_use_up_the_attempts() -> None:
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Fault("broken")

    for _ in range(8):
        delivery.receive(subscription(react), [event])
        delivery.receive(subscription(react), [event], again=True)  # of a retry that has not been sent since
    assert (Inbox.objects.get().state, Inbox.objects.get().attempts) == ("failing", 1)


@pytest.mark.django_db(databases="__all__")
def test_what_the_broker_doubles_at_the_first_sending_is_done_and_fails_once() -> None:
    """The inbox is not asked about it: the operation finds its work done, and of two faults one counts."""
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Fault("broken")

    for _ in range(3):
        delivery.receive(subscription(react), [event], first=True)
    row = Inbox.objects.get()
    assert (row.state, row.attempts) == ("failing", 1)
    assert PaymentsOutbox.objects.count() == 1
    for _ in range(2):
        delivery.receive(subscription(lambda some: None), [event], first=True)
    assert [row.state for row in Inbox.objects.all()] == ["done"]
    delivery.receive(subscription(react), [event], first=True)
    assert [row.state for row in Inbox.objects.all()] == ["done"]


@pytest.mark.django_db(databases="__all__")
def test_what_is_left_of_a_set_that_the_broker_has_doubled_in_part_is_still_one_set() -> None:
    calls: list[int] = []

    def react(events: Sequence[Event]) -> Outcome:
        calls.append(len(events))
        with recording("payments") as record:
            for event in events:
                record.publish(StepFailed(ref=event.ref, operation="x", error="y"))
        return Outcome(done=[event.ref for event in events])

    events = [Rang(ref=ref()) for _ in range(50)]
    delivery.receive(subscription(react), events[:1], first=True)
    delivery.receive(subscription(react), events, first=True)
    assert calls == [1, 50, 49]
    delivery.receive(subscription(react), events, first=True)
    assert calls == [1, 50, 49, 50]
    assert PaymentsOutbox.objects.count() == Inbox.objects.filter(state="done").count() == 50


@pytest.mark.django_db(databases="__all__")
def test_what_waits_for_somebody_outside_counts_no_attempt_and_is_told_once() -> None:
    event = Rang(ref=ref())

    def react(events: Sequence[Event]) -> Outcome:
        raise Unavailable("The provider is down since noon.")

    delivery.receive(subscription(react), [event])
    for _ in range(20):
        Inbox.objects.update(claims=1)
        delivery.receive(subscription(react), [event], again=True)
    row = Inbox.objects.get()
    assert (row.state, row.attempts, row.claims) == ("failing", 0, 0)
    told = PaymentsOutbox.objects.get()
    assert (told.type, told.payload["waits"], told.payload["parked"]) == ("StepFailed", True, False)


@pytest.mark.django_db(databases="__all__")
def test_a_receiver_that_raises_is_never_silently_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery's signals return a receiver's exception instead of raising it."""

    @when(Rang)
    def loud(events: Sequence[Event]) -> None: ...

    service = subscriptions.of("Rang")[-1].service

    def no_database(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("the inbox is out of reach")

    monkeypatch.setattr(delivery, "receive", no_database)
    with pytest.raises(ConnectionError, match="out of reach"):
        delivery.deliver(service, Rang, as_json([Rang(ref=ref())]))


@pytest.mark.django_db(databases="__all__")
def test_a_message_that_cannot_be_read_is_parked_and_its_neighbours_are_handled() -> None:
    good, bad = to_payload(Rang(ref=ref())), {**to_payload(Rang(ref=ref())), "at": "yesterday"}
    seen: list[Event] = []
    Rang.signal.connect(
        lambda events, **_: seen.extend(events), sender="payments", weak=False, dispatch_uid="unreadable"
    )
    subscriptions.add(subscription(seen.extend))
    delivery.deliver("payments", Rang, as_json([bad, good]))
    assert [str(event.id) for event in seen] == [good["id"]]
    row = Inbox.objects.get()
    assert (row.state, row.payload) == ("parked", bad)
    assert "`$.at`" in row.error
    Inbox.objects.update(state="failing", due_at=None, claims=1)  # a person sends it again, as it is
    delivery.deliver("payments", Rang, as_json([bad]), again=True)
    assert Inbox.objects.get().state == "parked"


@pytest.mark.django_db(databases="__all__")
def test_a_broken_copy_of_an_event_that_comes_before_it_does_not_keep_it_from_being_handled() -> None:
    good, seen = Rang(ref=ref()), list[Event]()
    receiver = subscription(seen.extend)
    subscriptions.add(receiver)
    delivery.deliver("payments", Rang, as_json([{**to_payload(good), "at": "yesterday"}]))
    assert (Inbox.objects.get().state, seen) == ("parked", [])
    for _ in range(2):
        delivery.receive(receiver, [good])
    assert (Inbox.objects.get().state, len(seen)) == ("done", 1)


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize(
    "payloads", ["", "{", "7", '["a"]', '[{"at": 1}]', '[{"id": "x", "ref": []}]', 7, None]
)
def test_what_holds_no_events_is_unreadable(payloads: Any) -> None:
    with pytest.raises(Unreadable):
        delivery.deliver("payments", Rang, payloads)
    with pytest.raises(Unreadable):
        delivery.deliver_to_be_noted("orders", payloads)


@pytest.mark.django_db(databases="__all__")
def test_an_event_of_a_later_version_keeps_nothing_else_from_being_noted() -> None:
    known = StepFailed(ref=ref(), operation="x", error="y")
    delivery.deliver_to_be_noted("orders", as_json([("FromTheFuture", known), ("StepFailed", known)]))
    assert OrdersInbox.objects.get().event_id == known.id


@pytest.mark.django_db(databases="__all__")
def test_an_event_of_an_order_nobody_placed_does_not_go_round_for_ever() -> None:
    events = [StepFailed(ref=ref(style), operation="x", error="y") for style in settings.STYLES]
    delivery.deliver_to_be_noted("orders", as_json([("StepFailed", event) for event in events]))
    assert (
        list(OrdersInbox.objects.values_list("receiver", "state")) == [("orders.note_progress", "done")] * 2
    )
    assert not Outbox.objects.exists()


@pytest.mark.django_db(databases="__all__")
def test_what_a_service_acts_on_itself_it_takes_at_once() -> None:
    """No message goes round for it; and what is only to be noted comes a moment later."""
    heard: list[Event] = []
    Rang.signal.connect(
        lambda events, **_: heard.extend(events), sender="payments", weak=False, dispatch_uid="own"
    )
    subscriptions.add(subscription(heard.extend))
    with delivery.taking_own("payments"):
        send_on("payments", events := [Rang(ref=ref()), Rang(ref=ref())])
        assert heard == []
    assert heard == events
