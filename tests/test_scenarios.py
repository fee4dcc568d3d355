"""Every business scenario, written once and run in both styles by real processes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.live import Live

pytestmark = pytest.mark.scenario
both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])


@both_styles
def test_a_good_order_is_fulfilled_in_two_parcels(live: Live, style: str) -> None:
    north, south = live.products(10)
    (order,) = live.place(style, [north, south], units=2)
    live.wait_until_ended([order])
    traces = live.traces(order)
    assert (traces.status, traces.payment, traces.charges, traces.charged_minor) == (
        "completed",
        "charged",
        1,
        2000,
    )
    assert traces.parcels == ["handed_over", "handed_over"]
    assert (traces.handed_over, traces.mails) == (2, ["confirmation"])
    assert live.stock(north) == live.stock(south) == (8, 0)
    assert Counter(live.events(order)) == {
        "OrderCreated": 1,
        "InventoryReserved": 1,
        "PaymentProcessed": 1,
        "ParcelsLabelled": 1,
        "OrderShipped": 1,
        "StockDispatched": 1,
        "ConfirmationSent": 1,
        "OrderCompleted": 1,
    }


@both_styles
@pytest.mark.parametrize(
    ("refusal", "event", "payment"),
    [
        ({"units": 11}, "InventoryRejected", None),
        ({"card": "declined"}, "PaymentFailed", "failed"),
        ({"card": "insufficient_funds"}, "PaymentFailed", "failed"),
        ({"postcode": "REFUSE 1"}, "ShippingFailed", "refunded"),
    ],
)
def test_a_refusal_undoes_everything(
    live: Live, style: str, refusal: dict[str, object], event: str, payment: str | None
) -> None:
    north, south = live.products(10)
    (order,) = live.place(style, [north, south], **refusal)  # type: ignore[arg-type]
    live.wait_until_ended([order])
    traces = live.traces(order)
    assert event in live.events(order)
    assert (traces.status, traces.saga, traces.payment) == ("cancelled", "ended", payment)
    assert (traces.charged_minor, traces.handed_over, traces.mails) == (0, 0, ["cancellation"])
    assert set(traces.parcels) <= {"void"}
    assert live.stock(north) == live.stock(south) == (10, 0)


@both_styles
@pytest.mark.parametrize(
    "trouble",
    [
        {"card": "slow"},
        {"card": "answer_lost"},
        {"card": "provider_down"},
        {"postcode": "SLOW 1"},
        {"postcode": "LOST 1"},
        {"postcode": "DOWN 1"},
    ],
    ids=lambda trouble: "-".join(trouble.values()),
)
def test_trouble_outside_delays_an_order_and_charges_once(
    live: Live, style: str, trouble: dict[str, str]
) -> None:
    north, south = live.products(10)
    (order,) = live.place(style, [north, south], **trouble)  # type: ignore[arg-type]
    live.wait_until_ended([order])
    traces = live.traces(order)
    assert (traces.status, traces.charges, traces.charged_minor) == ("completed", 1, 1000)
    assert (traces.handed_over, traces.mails) == (2, ["confirmation"])
    assert live.stock(north) == live.stock(south) == (9, 0)


def test_what_fails_side_by_side_is_one_attempt(live: Live) -> None:
    """In a chord each warehouse's label fails for itself: an order from many would be parked at once."""
    (order,) = live.place("orchestration", live.products(10), postcode="DOWN 1")
    live.wait_until_ended([order])
    told = [entry.event for entry in order.timeline.order_by("at")]
    assert told[: told.index("OrderStalled")].count("StepFailed") <= 1


@both_styles
def test_a_set_with_good_and_bad_orders_gives_each_its_own_end(live: Live, style: str) -> None:
    north, south = live.products(100)
    good = live.place(style, [north, south], orders=10)
    declined = live.place(style, [north, south], orders=2, card="declined")
    refused = live.place(style, [north, south], orders=2, postcode="REFUSE")
    short = live.place(style, [north, south], orders=2, units=1000)
    live.wait_until_ended([*good, *declined, *refused, *short])
    ends = [[live.traces(order).status for order in some] for some in (good, declined, refused, short)]
    assert ends == [["completed"] * 10, ["cancelled"] * 2, ["cancelled"] * 2, ["cancelled"] * 2]
    assert live.stock(north) == live.stock(south) == (90, 0)


def test_the_last_unit_has_one_buyer_across_the_styles(live: Live) -> None:
    north, south = live.products(1)
    one = live.place("orchestration", [north, south], orders=3)
    other = live.place("choreography", [north, south], orders=3)
    live.wait_until_ended([*one, *other])
    ends = sorted(live.traces(order).status for order in [*one, *other])
    assert ends == ["cancelled"] * 5 + ["completed"]
    assert live.stock(north) == live.stock(south) == (0, 0)


def test_flipping_the_style_strands_no_order_in_flight(live: Live, settings: object) -> None:
    north, south = live.products(100)
    orders = []
    for style in ("orchestration", "choreography", "orchestration", "choreography"):
        settings.FULFILLMENT_STYLE = style  # type: ignore[attr-defined]
        orders += live.place(None, [north, south], orders=5)
    live.wait_until_ended(orders)
    assert {order.style for order in orders} == {"orchestration", "choreography"}
    assert [live.traces(order).status for order in orders] == ["completed"] * 20
    assert live.stock(north) == live.stock(south) == (80, 0)
