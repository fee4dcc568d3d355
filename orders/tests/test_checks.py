"""``manage.py check`` finds what would show only as an order that stands still: each fault, planted, by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from django.core.checks import run_checks

from inventory.events import InventoryReleased
from notifications.events import CancellationNoticeSent
from orders import checks
from orders.edges import ANY_SERVICE, commands, edges
from orders.events import OrderCancelled, OrderCreated
from orders.process import PROCESS
from payments.events import PaymentFailed
from shipping.events import OrderShipped
from shop.messaging import subscriptions
from shop.messaging.commands import published
from shop.messaging.events import Event, registry
from shop.messaging.subscriptions import Subscription

Plant = Callable[[type[Event], Sequence[Subscription]], None]


def nothing(events: Sequence[Event]) -> None: ...


@pytest.fixture
def heard_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    """Have only these hear an event."""

    def plant(event: type[Event], some: Sequence[Subscription]) -> None:
        monkeypatch.setitem(subscriptions._subscriptions, event.__name__, list(some))
        subscriptions._forget()

    yield plant
    monkeypatch.undo()
    subscriptions._forget()


def hearing(event: type[Event]) -> list[Subscription]:
    return subscriptions.of(event.__name__)


def found() -> list[tuple[str | None, str]]:
    assert all(message.hint for message in run_checks())
    return [(message.id, message.msg) for message in run_checks()]


def test_the_shop_as_it_is_has_no_fault() -> None:
    assert found() == []


def test_an_event_nobody_hears(heard_by: Plant) -> None:
    class Unheard(Event, frozen=True, kw_only=True):
        pass

    try:
        assert found() == [
            ("shop.E002", f"No receiver hears Unheard in style {style}.")
            for style in ("orchestration", "choreography")
        ]
    finally:
        del registry["Unheard"]


def test_a_receiver_too_many(heard_by: Plant) -> None:
    (reserving,) = [sub for sub in hearing(OrderCreated) if sub.service == "inventory"]
    second = replace(reserving, receiver="inventory.reserve_stock_too", reaction=nothing)
    heard_by(OrderCreated, [*hearing(OrderCreated), second])
    assert found() == [
        (
            "shop.E003",
            "inventory has 2 receivers that act on OrderCreated in style choreography: "
            "inventory.reserve_stock, inventory.reserve_stock_too.",
        )
    ]


def test_a_receiver_too_few(heard_by: Plant) -> None:
    heard_by(OrderShipped, [sub for sub in hearing(OrderShipped) if sub.service != "notifications"])
    assert found() == [
        (
            "orders.E001",
            "In the choreography notifications.send_confirmation must react to OrderShipped; it reacts to nothing.",
        )
    ]


def test_a_receiver_that_would_do_what_is_commanded_once_more(heard_by: Plant) -> None:
    of_all = [
        replace(sub, style=None) if sub.service == "notifications" else sub for sub in hearing(OrderShipped)
    ]
    heard_by(OrderShipped, of_all)
    assert found() == [
        (
            "orders.E007",
            "notifications.send_confirmation is called in style orchestration, and hears OrderShipped, too: "
            "it is done twice.",
        )
    ]


def test_a_refusal_that_the_orchestrator_does_not_hear(heard_by: Plant) -> None:
    heard_by(PaymentFailed, [sub for sub in hearing(PaymentFailed) if sub.receiver != "orders.turn_back"])
    assert found() == [
        ("orders.E006", "Nobody acts on PaymentFailed in style orchestration: its orders would stand still.")
    ]


def test_an_operation_that_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(published, "payments.take_payment")
    assert found() == [
        ("orders.E005", "payments.take_payment is called in style orchestration, and is no command.")
    ]


def test_an_undo_that_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(published, "payments.refund_payment")
    assert found() == [
        (
            "orders.E003",
            "payments.refund_payment, the undo of payments.take_payment, can't be reached in style orchestration.",
        )
    ]


def test_an_undo_that_no_event_leads_to(heard_by: Plant) -> None:
    for event in list(registry.values()):
        rest = [sub for sub in hearing(event) if sub.receiver != "inventory.release_stock"]
        if rest != hearing(event):
            heard_by(event, rest)
    assert found() == [
        (
            "orders.E003",
            "inventory.release_stock, the undo of inventory.reserve_stock, can't be reached in style choreography.",
        )
    ]


def test_a_step_without_an_undo(monkeypatch: pytest.MonkeyPatch) -> None:
    paid = PROCESS[2]
    without = tuple(replace(step, undo=None) if step is paid else step for step in PROCESS)
    assert list(checks.not_undone(PROCESS)) == []
    ((text, hint),) = checks.not_undone(without)
    assert text == "payments.take_payment has no undo."
    assert "nothing_to_undo=True" in hint
    harmless = tuple(replace(step, nothing_to_undo=True) if step is without[2] else step for step in without)
    assert list(checks.not_undone(harmless)) == []


def test_events_that_lead_to_one_another_for_ever(heard_by: Plant) -> None:
    (telling,) = [sub for sub in hearing(OrderCancelled) if sub.service == "notifications"]
    once_more = replace(telling, event=CancellationNoticeSent)
    heard_by(CancellationNoticeSent, [*hearing(CancellationNoticeSent), once_more])
    assert found() == [
        (
            "orders.E004",
            "These events lead to one another for ever: CancellationNoticeSent → CancellationNoticeSent.",
        )
    ]


def test_a_longer_circle(heard_by: Plant) -> None:
    (cancelling,) = [sub for sub in hearing(InventoryReleased) if sub.receiver == "orders.cancel_order"]
    heard_by(
        CancellationNoticeSent,
        [*hearing(CancellationNoticeSent), replace(cancelling, event=CancellationNoticeSent)],
    )
    assert found() == [
        (
            "orders.E004",
            "These events lead to one another for ever: "
            "CancellationNoticeSent → OrderCancelled → CancellationNoticeSent.",
        )
    ]


def test_one_style_commands_and_the_other_does_not() -> None:
    assert [style for style in ("orchestration", "choreography") if commands(style)] == ["orchestration"]
    assert {edge.source for edge in edges("orchestration") if edge.move} == {"orders"}
    assert not [edge for edge in edges("choreography") if edge.move]
    assert [edge.name for edge in edges("choreography") if edge.source == ANY_SERVICE] == ["StepFailed"]
