"""Each event tells what led to it, in both styles, and where its time went."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.conf import settings

from orders.models import Order, TimelineEntry
from tests.live import Live

pytestmark = pytest.mark.scenario

FORWARD = {
    "OrderCreated": set[str](),
    "InventoryReserved": {"OrderCreated"},
    "PaymentProcessed": {"InventoryReserved"},
    "ParcelsLabelled": {"PaymentProcessed"},
    "OrderShipped": {"ParcelsLabelled"},
}
WAY_BACK = {
    "InventoryReleased": {"PaymentFailed"},
    "OrderCancelled": {"InventoryReleased"},
    "CancellationNoticeSent": {"OrderCancelled"},
}
TO_THE_END: Mapping[str, Mapping[str, set[str]]] = {
    "orchestration": {
        "StockDispatched": {"OrderShipped"},
        "ConfirmationSent": {"StockDispatched"},
        "OrderCompleted": {"ConfirmationSent"},
    },
    "choreography": {
        "StockDispatched": {"OrderShipped"},
        "ConfirmationSent": {"OrderShipped"},
        "OrderCompleted": {"StockDispatched", "ConfirmationSent"},  # whichever came last
    },
}


@pytest.fixture(autouse=True)
def met(live: Live) -> None:
    """What an earlier test has broken, a connection perhaps, is met by orders that nobody looks at."""
    live.supervised_again()
    for style in settings.STYLES:
        live.wait_until_ended([live.place(style, live.products(10))[0] for _ in range(4)])


def causes(order: Order) -> dict[str, str]:
    """What each event of the order followed from."""
    entries = list(TimelineEntry.objects.filter(order=order))
    names = {entry.event_id: entry.event for entry in entries}
    return {entry.event: names[entry.cause] if entry.cause else "" for entry in entries}


def assert_led_to(found: Mapping[str, str], expected: Mapping[str, set[str]]) -> None:
    assert found.keys() == expected.keys()
    for event, reasons in expected.items():
        assert found[event] in (reasons or {""}), (event, found[event])


@pytest.mark.parametrize("style", settings.STYLES)
def test_a_good_order(live: Live, style: str) -> None:
    north, _ = live.products(10)
    (order,) = live.place(style, [north])
    live.wait_until_ended([order])
    assert_led_to(causes(order), {**FORWARD, **TO_THE_END[style]})


@pytest.mark.parametrize("style", settings.STYLES)
def test_an_order_in_two_parcels_joins_again(live: Live, style: str) -> None:
    (order,) = live.place(style, live.products(10))
    live.wait_until_ended([order])
    # In orchestration the body of the chord is sent together with its headers: by what came before them.
    before = {"PaymentProcessed", "ParcelsLabelled"}
    assert_led_to(causes(order), {**FORWARD, "OrderShipped": before, **TO_THE_END[style]})


@pytest.mark.parametrize("style", settings.STYLES)
def test_a_refusal_and_the_way_back(live: Live, style: str) -> None:
    (order,) = live.place(style, live.products(10), card="declined")
    live.wait_until_ended([order])
    reached = {event: FORWARD[event] for event in ("OrderCreated", "InventoryReserved")}
    assert_led_to(causes(order), {**reached, "PaymentFailed": {"InventoryReserved"}, **WAY_BACK})


@pytest.mark.parametrize("style", settings.STYLES)
def test_where_the_time_went(live: Live, style: str) -> None:
    (order,) = live.place(style, live.products(10), card="slow")
    live.wait_until_ended([order])
    paid = TimelineEntry.objects.get(order=order, event="PaymentProcessed")
    assert paid.task
    assert paid.sent_at
    assert paid.began_at
    assert paid.outside
    slow = float(live.stack.env["SANDBOX_SLOW_SECONDS"])
    assert paid.outside == pytest.approx(slow, abs=0.4)
    assert (paid.at - paid.began_at).total_seconds() >= paid.outside - 0.01
    assert (paid.began_at - paid.sent_at).total_seconds() >= -0.01


@pytest.mark.parametrize("style", settings.STYLES)
def test_what_failed_did_so_because_of_what_it_was_to_follow(live: Live, style: str) -> None:
    (order,) = live.place(style, live.products(10), card="provider_down")
    live.wait_until_ended([order])
    found = causes(order)
    assert (found["StepFailed"], found["PaymentProcessed"]) in (
        ("InventoryReserved", "InventoryReserved"),
        ("InventoryReserved", "OrderStalled"),  # the orchestrator has played it on
        ("OrderStalled", "OrderStalled"),
    )
