"""What is over is deleted, in its time; what can be sent again finds that it was handled."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from notifications.models import Mail
from orders.models import Order, TimelineEntry
from payments.models import Inbox, Outbox
from shop.messaging import pruning
from shop.messaging.pruning import Pruning
from shop.messaging.tables import database_of
from shop.tests.messaging.samples import confirmed_up_to, store
from tests.threads import at_once

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SHARE", 1e9)


def long_ago(settings: Any, keep: str = "MESSAGES", days: int = 2) -> datetime:
    return timezone.now() - timedelta(days=settings.RETENTION[keep] + days)


def prune(pruning: Pruning | None = None) -> int:
    """All there is to prune: each table is looked at until it is left alone."""
    pruning = pruning or Pruning()
    deleted = 0
    while pruning.patience() < 1:
        deleted += pruning.prune_some()
    return deleted


def answered(at: datetime, state: str = "done", order_id: UUID | None = None) -> Inbox:
    return Inbox.objects.create(
        event_id=uuid4(), receiver="r", type="Rang", order_id=order_id or uuid4(), state=state, received_at=at
    )


def entry(order: Order, at: datetime) -> TimelineEntry:
    return TimelineEntry.objects.create(
        order=order,
        event_id=uuid4(),
        at=at,
        service="payments",
        event="Rang",
        kind="forward",
        text="It rang.",
    )


def kept(model: Any) -> list[int]:
    return list(model.objects.order_by("pk").values_list("pk", flat=True))


def test_only_confirmed_events_go_and_what_stays_does_not_hold_up_the_rest(settings: Any) -> None:
    store(6)
    due, *confirmed, fresh, unconfirmed = Outbox.objects.order_by("id")
    Outbox.objects.exclude(pk=fresh.pk).update(created_at=long_ago(settings))
    Outbox.objects.exclude(pk=due.pk).update(due_at=None)
    confirmed_up_to("payments", fresh.pk)
    assert prune() == len(confirmed) == 3
    assert kept(Outbox) == [due.pk, fresh.pk, unconfirmed.pk]


def test_more_rows_than_a_batch_has_all_go(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "AT_MOST", 40)
    store(333)
    Outbox.objects.update(created_at=long_ago(settings), due_at=None)
    confirmed_up_to("payments", Outbox.objects.latest("pk").pk)
    assert prune() == 333


def test_handled_deliveries_go_and_those_a_person_has_to_see_stay(settings: Any) -> None:
    old = long_ago(settings)
    parked, _done = answered(old, "parked"), answered(old)
    a_day_less = answered(long_ago(settings, days=0))
    assert prune() == 1
    assert kept(Inbox) == [parked.pk, a_day_less.pk]


def test_what_an_event_was_known_by_stays_until_it_cannot_be_sent_again(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (event,) = store()
    known = answered(long_ago(settings), order_id=event.ref.id)
    later = answered(long_ago(settings))
    relay = Pruning()
    prune(relay)
    assert kept(Inbox) == [known.pk]  # and not what came later: it waits for nothing
    assert later.pk > known.pk

    Outbox.objects.update(created_at=long_ago(settings), due_at=None)
    confirmed_up_to("payments", Outbox.objects.latest("pk").pk)
    prune()
    assert kept(Outbox) == []
    assert kept(Inbox) == []


def test_a_row_that_had_to_stay_is_looked_at_again_later(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _second = answered(long_ago(settings), "parked"), answered(long_ago(settings))
    monkeypatch.setattr(pruning, "LOOKS_EVERY", 2)
    relay = Pruning()
    prune(relay)
    Inbox.objects.update(state="done")
    monkeypatch.setattr(pruning, "RETURNS_EVERY", 0)
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 3 * 3600)
    prune(relay)
    assert kept(Inbox) == [first.pk]  # now it knows where to go back to
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 4 * 3600)
    prune(relay)
    assert kept(Inbox) == []


def test_the_timeline_of_an_order_goes_when_it_ended_long_ago_and_its_events_are_gone(
    settings: Any, place_order: Any
) -> None:
    running, told, gone, fresh = [Order.objects.get(uuid=place_order().id) for _ in range(4)]
    TimelineEntry.objects.all().delete()
    old = long_ago(settings, "TIMELINE")
    stay = [entry(running, old), entry(told, old)]
    for _ in range(3):
        entry(gone, old)
    stay.append(entry(fresh, old))
    Order.objects.filter(pk__in=(told.pk, gone.pk)).update(ended_at=old)
    Order.objects.filter(pk=fresh.pk).update(ended_at=timezone.now())
    from orders.models import Outbox as OrdersOutbox

    OrdersOutbox.objects.filter(order_id=gone.uuid).delete()
    assert OrdersOutbox.objects.filter(order_id=told.uuid).exists()
    assert prune() == 3
    assert kept(TimelineEntry) == [row.pk for row in stay]


def test_kept_mails_go_in_their_time(settings: Any) -> None:
    for name in ("old", "fresh"):
        Mail.objects.create(message_id=name, to="a@example.invalid", subject="s", text="t")
    Mail.objects.filter(message_id="old").update(at=long_ago(settings, "MAILS"))
    assert prune() == 1
    assert Mail.objects.get().message_id == "fresh"


def test_where_nothing_is_old_a_look_reads_a_few_rows_by_their_keys(settings: Any) -> None:
    store(100)
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connections[database_of(Outbox)].execute_wrapper(note):
        assert prune() == 0
    (looked,) = [sql for sql in statements if "payments_outbox WHERE id" in sql]
    assert "LIMIT %s" in looked
    assert not any("DELETE" in sql for sql in statements)


def test_a_relay_that_is_not_chosen_prunes_nothing(settings: Any) -> None:
    answered(long_ago(settings))
    assert prune(Pruning(lambda: False)) == 0
    assert Inbox.objects.count() == 1


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_several_at_once_get_in_no_ones_way(settings: Any) -> None:
    old = long_ago(settings)
    Inbox.objects.bulk_create(
        Inbox(event_id=uuid4(), receiver="r", type="Rang", order_id=uuid4(), state="done", received_at=old)
        for _ in range(1000)
    )
    assert sum(at_once(prune, prune, prune)) == 1000
    assert Inbox.objects.count() == 0


def test_a_table_that_cannot_be_pruned_just_now_is_left_alone_for_a_while(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from django.db import OperationalError

    def broken(*args: Any) -> Any:
        raise OperationalError("canceling statement due to lock timeout")

    answered(long_ago(settings))
    monkeypatch.setattr(pruning, "_delete", broken)
    assert prune() == 0
    assert "Old rows of payments_inbox stay for now" in caplog.text
