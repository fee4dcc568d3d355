"""What a provider has done and the shop does not know: looked up under the stored key, and then settled, once."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from django.db.models import QuerySet

from orders.models import Order
from orders.services import Cancellation, request_cancellation
from payments.gateway import gateway
from payments.models import Payment
from shipping.carrier import carrier
from shipping.models import Parcel, Shipment
from shop.messaging.outages import outages
from tests.live import Live

both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])
CHARGES, REFUNDS, LABELS, VOIDS, HANDOVERS = (
    "/v1/charges",
    "/v1/refunds",
    "/v1/labels",
    "/v1/labels/void",
    "/v1/handovers",
)
Books = tuple[list[str], Counter[str]]
IT_GOES_ON = 0.5  # s, for a worker that stood still and has nothing left to do but to find that out
CHARGED_ONCE, REFUNDED_ONCE = ["charge"], ["charge", "refund"]


def books(live: Live, order: Order) -> Books:
    """What both providers did under the order's number or its stored keys: with the money, and with each parcel."""
    payment = Payment.objects.get(pk=order.uuid)
    stored = {payment.charge_key, payment.refund_key}
    money = [move for move in gateway().ledger() if move.order_number == order.number or move.key in stored]
    keys = set(Parcel.objects.filter(shipment=order.uuid).values_list("key", flat=True))
    moves: dict[str, list[str]] = {}
    for move in carrier().ledger():
        if move.order_number == order.number or move.key in keys:
            moves.setdefault(move.key, []).append(move.kind)
    assert {move.key for move in money} <= stored
    assert moves.keys() <= keys
    return [move.kind for move in money], Counter(" ".join(kinds) for kinds in moves.values())


def assert_completed(live: Live, order: Order) -> None:
    traces = live.traces(order)
    assert (traces.status, traces.saga, traces.mails) == ("completed", "ended", ["confirmation"])
    assert books(live, order) == (CHARGED_ONCE, Counter({"label handover": 2}))


def assert_cancelled(live: Live, order: Order, money: list[str]) -> Counter[str]:
    """Returns what became of the parcels."""
    traces = live.traces(order)
    assert (traces.status, traces.saga, traces.mails) == ("cancelled", "ended", ["cancellation"])
    assert (traces.payment, Shipment.objects.get(pk=order.uuid).state) == ("refunded", "stopped")
    moved, parcels = books(live, order)
    assert moved == money
    return parcels


def cancel(order: Order) -> None:
    assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED


# --- The answer is lost, or the worker ends between the answer and its record ---------------------------------------


@both_styles
@pytest.mark.parametrize(
    "lost",
    [
        {"card": "answer_lost"},
        {"postcode": "LOST 1"},
        f"fail answered {HANDOVERS}",
        *(f"end answered {path}" for path in (CHARGES, LABELS, HANDOVERS)),
    ],
    ids=str,
)
def test_on_the_way_forward_it_is_asked_for_under_the_stored_key(
    live: Live, style: str, lost: str | dict[str, str]
) -> None:
    """The sandbox keeps back the answer to a charge and to a label; that to a hand-over the worker throws away."""
    armed = live.stack.arm(lost) if isinstance(lost, str) else None
    (order,) = live.place(style, live.products(10), **({} if isinstance(lost, str) else lost))  # type: ignore[arg-type]
    live.wait_until_ended([order])
    assert armed is None or armed.taken()
    assert_completed(live, order)


@both_styles
@pytest.mark.parametrize("path", [REFUNDS, VOIDS])
@pytest.mark.parametrize("how", ["fail", "end"])
def test_on_the_way_back_too(live: Live, style: str, how: str, path: str) -> None:
    """Charged, with a label at least: the cancellation comes before the worker has noted that one."""
    with live.stack.paused_at(f"answered {LABELS}") as arrived:
        (order,) = live.place(style, live.products(10))
        live.wait_for(arrived, "a label is made, and only the carrier knows")
        armed = live.stack.arm(f"{how} answered {path}")
        cancel(order)
        live.wait_for(armed.taken, f"lost: {path}")
    live.wait_until_ended([order])
    parcels = assert_cancelled(live, order, REFUNDED_ONCE)
    assert parcels["label void"] >= 1
    assert parcels.keys() <= {"label void", "void"}


# --- The order is cancelled meanwhile -------------------------------------------------------------------------------


@both_styles
def test_a_charge_that_succeeds_after_the_order_is_undone_is_refunded_once(live: Live, style: str) -> None:
    with live.stack.paused_at(f"answered {CHARGES}") as arrived:
        (order,) = live.place(style, live.products(10))
        live.wait_for(arrived, "it is charged, and only the provider knows")
        cancel(order)
        live.wait_for_event(order, "OrderCancelled")
    time.sleep(IT_GOES_ON)
    live.wait_until_ended([order])
    assert not assert_cancelled(live, order, REFUNDED_ONCE)
    assert "PaymentProcessed" not in live.events(order)


@both_styles
def test_a_charge_overtaken_by_the_undo_never_happens(live: Live, style: str) -> None:
    (order,) = live.place(style, live.products(10), card="slow")
    live.wait_for(Payment.objects.filter(order_id=order.uuid).exists, "the payment provider is asked")
    cancel(order)
    live.wait_until_ended([order])
    assert not assert_cancelled(live, order, ["void"])


@both_styles
def test_a_charge_of_which_nothing_is_known_when_the_order_is_cancelled_is_refunded_once(
    live: Live, style: str
) -> None:
    with live.stack.paused_at("committing StepFailed") as arrived:
        (order,) = live.place(style, live.products(10), card="answer_lost")
        live.wait_for(arrived, "the answer is lost, and not yet asked for again")
        cancel(order)
        live.wait_for_event(order, "PaymentRefunded")
    live.wait_until_ended([order])
    assert not assert_cancelled(live, order, REFUNDED_ONCE)


@both_styles
def test_a_label_made_after_the_order_is_cancelled_is_voided_once(live: Live, style: str) -> None:
    with live.stack.paused_at(f"answered {LABELS}") as arrived:
        (order,) = live.place(style, live.products(10)[:1])
        live.wait_for(arrived, "the label is made, and only the carrier knows")
        cancel(order)
        live.wait_for_event(order, "OrderCancelled")
    time.sleep(IT_GOES_ON)
    live.wait_until_ended([order])
    assert assert_cancelled(live, order, REFUNDED_ONCE) == {"label void": 1}
    assert not {"ParcelsLabelled", "ShippingFailed"} & set(live.events(order))
    assert Parcel.objects.get(shipment=order.uuid).state == "void"


@both_styles
def test_a_label_of_which_nothing_is_known_when_the_order_is_cancelled_is_voided_once(
    live: Live, style: str
) -> None:
    with live.stack.paused_at("committing StepFailed") as arrived:
        (order,) = live.place(style, live.products(10)[:1], postcode="LOST 1")
        live.wait_for(arrived, "the answer is lost, and not yet asked for again")
        cancel(order)
        live.wait_for_event(order, "ShippingStopped")
    live.wait_until_ended([order])
    assert assert_cancelled(live, order, REFUNDED_ONCE) == {"label void": 1}


@both_styles
def test_a_hand_over_of_which_nothing_is_known_when_the_order_is_to_be_cancelled_stands(
    live: Live, style: str
) -> None:
    armed = live.stack.arm(f"fail answered {HANDOVERS}")
    (order,) = live.place(style, live.products(10))
    live.wait_for(armed.taken, "the parcels have left, and the answer is lost")
    request_cancellation(order.uuid, by="customer")
    live.wait_until_ended([order])
    assert_completed(live, order)


# --- The provider is away -------------------------------------------------------------------------------------------


@both_styles
@pytest.mark.parametrize(("provider", "service"), [("payments", "payments"), ("carrier", "shipping")])
def test_what_is_to_be_undone_while_its_provider_is_away_is_undone_once_when_it_is_back(
    live: Live, style: str, provider: str, service: str
) -> None:
    with live.stack.paused_at(f"answered {LABELS}") as arrived:
        (order,) = live.place(style, live.products(10))
        live.wait_for(arrived, "a label is made, and only the carrier knows")
        with live.stack.supervisor.held(provider):
            cancel(order)
            refunding = Payment.objects.filter(pk=order.uuid, state="refunding")
            stopping = Shipment.objects.filter(pk=order.uuid, state="stopping")
            begun: QuerySet[Any] = refunding if provider == "payments" else stopping
            live.wait_for(begun.exists, "the undo is stored, and the provider is asked")
            others = live.place(style, live.products(10), orders=6)
            live.wait_for(lambda: outages(service), f"{service} knows that its provider is away")
            assert begun.exists()
    live.wait_until_ended([order, *others])
    parcels = assert_cancelled(live, order, REFUNDED_ONCE)
    assert parcels["label void"] >= 1
    assert parcels.keys() <= {"label void", "void"}
