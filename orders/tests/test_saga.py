"""When an order that does not move is taken up again, and when it waits for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from orders import saga as sagas
from orders.models import Order, Outbox, Saga
from payments.models import Outage as PaymentsOutage
from shop.messaging import outages, reach
from shop.messaging.events import Ref, StepFailed

LONG = timedelta(hours=1)


@pytest.fixture
def saga(settings: Any) -> Saga:
    settings.RETRIES = {**settings.RETRIES, "default": {"attempts": 3, "first": 1.0, "cap": 60.0}}
    settings.SAGA_DEADLINE = 100.0
    return sagas.begun(Order(placed_at=timezone.now() - LONG))


def failure(operation: str = "payments.take_payment", **more: Any) -> StepFailed:
    return StepFailed(
        ref=Ref(id=Order().uuid, number="S-1", style=""), operation=operation, error="no answer", **more
    )


def fail(saga: Saga, failure: StepFailed) -> None:
    sagas.failed(saga, failure, timezone.now())


def waits(saga: Saga) -> float:
    assert saga.deadline
    return (saga.deadline - timezone.now()).total_seconds()


def test_a_failed_command_is_tried_again_later_and_later_and_then_waits_for_a_person(saga: Saga) -> None:
    fail(saga, failure())
    assert (saga.state, saga.attempt, saga.last_error) == ("running", 1, "payments.take_payment: no answer")
    assert 0.5 < waits(saga) < 1.3
    fail(saga, failure())
    assert 1.5 < waits(saga) < 2.5
    fail(saga, failure())
    assert (saga.state, saga.attempt, saga.deadline) == ("parked", 3, None)


def test_a_service_that_tries_again_by_itself_is_waited_for_a_little_longer(saga: Saga) -> None:
    fail(saga, failure(attempt=2, retry_at=timezone.now() + timedelta(seconds=20)))
    assert (saga.state, saga.attempt) == ("running", 2)
    assert 119 < waits(saga) <= 120
    fail(saga, failure(attempt=3, parked=True))
    assert (saga.state, saga.attempt, saga.deadline) == ("parked", 3, None)


@pytest.mark.parametrize("receiver", ["orders.begin", "orders.turn_back", "orders.note_progress"])
def test_what_is_no_step_is_not_waited_for_as_the_saga_knows_how_to_go_on(saga: Saga, receiver: str) -> None:
    """Its inbox row may wait for minutes, or for a person; the saga row is enough to play on from."""
    fail(saga, failure(receiver, attempt=1, retry_at=timezone.now() + LONG))
    assert (saga.state, saga.attempt) == ("running", 1)
    assert 0.5 < waits(saga) < 1.3


def test_while_somebody_outside_is_away_no_attempt_counts(saga: Saga) -> None:
    for _ in range(10):
        fail(saga, failure(waits=True))
        fail(saga, failure(attempt=0, retry_at=timezone.now() + LONG, waits=True))
    assert (saga.state, saga.attempt, saga.last_error) == ("running", 0, "payments.take_payment: no answer")
    assert 99 < waits(saga) <= 100


def test_a_failure_wakes_nothing_that_is_parked_or_ended(saga: Saga) -> None:
    saga.state, saga.deadline = Saga.State.PARKED, None
    fail(saga, failure())
    assert (saga.state, saga.deadline, saga.last_error) == (
        "parked",
        None,
        "payments.take_payment: no answer",
    )
    sagas.ended(saga)
    saga.last_error = ""
    fail(saga, failure())
    assert (saga.state, saga.deadline, saga.last_error) == ("ended", None, "")


def test_whatever_moves_it_ends_all_trouble(saga: Saga) -> None:
    for _ in range(3):
        fail(saga, failure())
    sagas.moved(saga, timezone.now(), timezone.now())
    assert (saga.state, saga.attempt, saga.last_error) == ("running", 0, "")
    assert 99 < waits(saga) <= 100


def test_an_order_that_waits_at_the_entrance_has_not_stalled(place_order: Any) -> None:
    """No relay has come to it yet: whatever takes it up would only wait behind it."""
    ref = place_order()
    Saga.objects.update(deadline=timezone.now() - LONG, moved_at=timezone.now() - LONG)
    assert sagas.wake_overdue() == 0
    assert waits(Saga.objects.get(order__uuid=ref.id)) > 0
    Saga.objects.update(deadline=timezone.now() - LONG)
    Outbox.objects.update(claims=1, due_at=None)
    assert sagas.wake_overdue() == 1


def test_what_no_queue_explains_is_looked_at_again_soon_and_what_queues_the_later_the_longer(
    place_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it has stood, as after an outage of the database: what takes it up may be lost, too."""
    place_order()
    Outbox.objects.update(claims=1, due_at=None)
    crowded: dict[str, int] = {}
    monkeypatch.setattr(sagas, "crowded_services", lambda: crowded)
    Saga.objects.update(deadline=timezone.now() - LONG, moved_at=timezone.now() - timedelta(seconds=130))
    assert sagas.wake_overdue() == 1
    assert 9 < waits(Saga.objects.get()) <= 10
    crowded["inventory"] = 500
    Outbox.objects.update(claims=1, due_at=None)
    Saga.objects.update(deadline=timezone.now() - LONG)
    assert sagas.wake_overdue() == 1
    assert 129 < waits(Saga.objects.get()) < 135


@pytest.mark.parametrize("style", ["orchestration", "choreography"])
def test_who_waits_in_a_crowded_queue_has_not_stalled_unless_another_has_overtaken_it(
    place_order: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    settings.FULFILLMENT_STYLE = style
    monkeypatch.setattr(sagas, "crowded_services", lambda: {"shipping"})
    first, second = place_order(), place_order()
    Outbox.objects.update(claims=1, due_at=None)
    came, later = timezone.now() - timedelta(seconds=30), timezone.now() - timedelta(seconds=20)
    Saga.objects.update(moved_at=came, step="paid")

    def taken_up() -> object:
        Saga.objects.filter(order__uuid=first.id).update(deadline=timezone.now() - LONG)
        return sagas.wake_overdue()

    assert taken_up() == 0
    second_saga = Saga.objects.filter(order__uuid=second.id)
    second_saga.update(step="shipped")  # but it had been placed before the first came to where it stands
    Order.objects.filter(uuid=second.id).update(placed_at=came - timedelta(seconds=1))
    assert taken_up() == 0
    Order.objects.filter(uuid=second.id).update(placed_at=later)
    second_saga.update(step="paid")  # placed later, but no further
    assert taken_up() == 0
    second_saga.update(step="shipped")
    assert taken_up() == 1


def test_once_a_database_is_back_what_stood_still_is_looked_at_however_often_that_was_in_vain(
    place_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_order()
    Outbox.objects.update(claims=5, due_at=timezone.now() + timedelta(seconds=80))

    def stands_still_for(seconds: float) -> None:
        moved_at, later = timezone.now() - timedelta(seconds=seconds), timezone.now() + timedelta(seconds=80)
        Saga.objects.update(moved_at=moved_at, deadline=later)

    stands_still_for(80)
    reach.lets_in("shipping")  # it had not been away
    assert sagas.wake_overdue() == 0
    monkeypatch.setattr(reach, "_lost", {"shipping"})
    stands_still_for(1)
    reach.lets_in("shipping")
    assert (sagas.wake_overdue(), waits(Saga.objects.get()) > 70) == (0, True)
    assert Outbox.objects.filter(due_at__lte=timezone.now()).exists()
    monkeypatch.setattr(reach, "_lost", {"shipping"})
    stands_still_for(80)
    reach.lets_in("shipping")
    assert sagas.wake_overdue() == 1


def test_what_waits_for_a_provider_that_is_away_is_left_alone_but_for_one_that_finds_out(
    place_order: Any, settings: Any
) -> None:
    place_order(), place_order()
    Saga.objects.update(deadline=timezone.now() - LONG, moved_at=timezone.now() - LONG, step="reserved")
    Outbox.objects.update(claims=1, due_at=None)
    outages.begin("payments", "The payment provider", "can't be reached")
    assert sagas.wake_overdue() == 0
    PaymentsOutage.objects.update(probe_at=timezone.now() - LONG)
    assert sagas.wake_overdue() == 1
    assert Outbox.objects.filter(type="OrderStalled").count() == 1
    PaymentsOutage.objects.update(probe_at=timezone.now() + LONG)  # a clock that was wrong
    assert sagas.wake_overdue() == 1
    settings.OUTAGE_LIMIT = 0.0  # now a person must decide
    Outbox.objects.update(claims=1, due_at=None)
    Saga.objects.update(deadline=timezone.now() - LONG)
    assert sagas.wake_overdue() == 2


def test_a_deadline_that_is_too_far_away_was_written_by_a_clock_that_was_wrong(place_order: Any) -> None:
    place_order()
    Outbox.objects.update(claims=1, due_at=None)
    Saga.objects.update(deadline=timezone.now() + timedelta(seconds=120))
    assert sagas.wake_overdue() == 0
    Saga.objects.update(deadline=timezone.now() + LONG)
    assert sagas.wake_overdue() == 1
    assert waits(Saga.objects.get()) < 120


def test_what_moved_later_than_now_did_so_by_a_clock_that_was_wrong_and_queues_no_longer_for_it(
    place_order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's clock was an hour fast. In a busy shop's queues messages always wait; one is lost all the same."""
    place_order()
    Outbox.objects.update(claims=1, due_at=None)
    Saga.objects.update(deadline=timezone.now() + LONG, moved_at=timezone.now() + LONG)
    monkeypatch.setattr(sagas, "crowded_services", lambda: {"inventory"})
    assert sagas.wake_overdue() == 0
    later = timezone.now() - sagas.QUEUES_AT_MOST
    Saga.objects.update(deadline=later, moved_at=F("moved_at") - sagas.QUEUES_AT_MOST)
    assert sagas.wake_overdue() == 1


def test_what_moves_has_not_moved_later_than_now(saga: Saga) -> None:
    now = timezone.now()
    saga.moved_at = now + LONG
    sagas.moved(saga, now - LONG, now)
    assert saga.moved_at == now
