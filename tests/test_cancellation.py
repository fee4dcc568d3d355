"""A customer's cancellation before, during and after each step ends the same in both styles."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from orders.models import Order, Saga
from orders.saga import resume
from orders.services import Cancellation, request_cancellation
from orders.telling import trouble
from orders.telling.trouble import why_it_waits
from payments.models import Inbox, Outage, Payment
from shipping.models import Parcel
from shop.base.databases import alias_of
from shop.messaging.sending import crowded_services
from tests.live import Live

pytestmark = pytest.mark.scenario
# Of shipping's two workers, which go on together, one has the labels and the other the stop: the carrier takes its time,
# or the hand-over might win.
SLOW = "SLOW 1"
both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])


def assert_undone(live: Live, order: Order, skus: tuple[str, str], on_hand: int = 10) -> None:
    traces = live.traces(order)
    assert (traces.status, traces.saga, traces.mails) == ("cancelled", "ended", ["cancellation"])
    assert (traces.charged_minor, traces.handed_over) == (0, 0)
    assert set(traces.parcels) <= {"void"}
    assert [live.stock(sku) for sku in skus] == [(on_hand, 0), (on_hand, 0)]


def nothing_more_comes(live: Live, service: str, still: float = 0.5) -> None:
    """What was on its way to a halted service has come: its queue has not grown for so long (s)."""
    known, since = -1, 0.0

    def stands_still() -> bool:
        nonlocal known, since
        found = crowded_services(1).get(service, 0)
        if found != known:
            known, since = found, time.monotonic()
        return time.monotonic() - since > still

    live.wait_for(stands_still, f"all has come to {service}")


@both_styles
@pytest.mark.parametrize(
    ("waiting", "after"),
    [("inventory", "OrderCreated"), ("payments", "InventoryReserved"), ("shipping", "PaymentProcessed")],
)
def test_cancelled_after_one_step_and_before_the_next(
    live: Live, style: str, waiting: str, after: str
) -> None:
    skus = live.products(10)
    with live.stack.halted(waiting):
        (order,) = live.place(style, skus, postcode=SLOW)
        live.wait_for_event(order, after)
        assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
        # Before who is halted goes on, the wish is decided, or is there beside the step it must overtake.
        live.wait_for_event(order, "CancellationRequested" if waiting == "shipping" else "ShippingStopped")
        nothing_more_comes(live, waiting)
    live.wait_until_ended([order])
    assert_undone(live, order, skus)


@both_styles
@pytest.mark.parametrize(
    "moment",
    [
        "committing InventoryReserved",
        "answered /v1/charges",
        "committing PaymentProcessed",
        "answered /v1/labels",
    ],
)
def test_cancelled_while_a_step_stands_before_its_end(live: Live, style: str, moment: str) -> None:
    """The undo overtakes the step or waits for its lock; what the step has done is undone."""
    skus = live.products(10)
    with live.stack.paused_at(moment) as arrived:
        (order,) = live.place(style, skus)
        live.wait_for(arrived, f"a process stands at: {moment}")
        assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
        live.wait_for_event(order, "ShippingStopped")
    live.wait_until_ended([order])
    assert_undone(live, order, skus)


@both_styles
def test_cancelled_while_the_card_is_being_charged(live: Live, style: str) -> None:
    skus = live.products(10)
    (order,) = live.place(style, skus, card="slow")
    intent = Payment.objects.filter(order_id=order.uuid, state="pending")
    live.wait_for(intent.exists, "the payment provider is asked")
    assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
    live.wait_until_ended([order])
    assert_undone(live, order, skus)
    assert live.traces(order).payment == "refunded"


@both_styles
def test_cancelled_while_labels_are_being_made(live: Live, style: str) -> None:
    skus = live.products(10)
    (order,) = live.place(style, skus, postcode=SLOW)
    live.wait_for(Parcel.objects.filter(shipment=order.uuid).exists, "parcels are planned")
    assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
    live.wait_until_ended([order])
    assert_undone(live, order, skus)


@both_styles
@pytest.mark.parametrize("after", ["OrderShipped", "ConfirmationSent", "OrderCompleted"])
def test_after_the_pivot_a_cancellation_is_refused_and_changes_nothing(
    live: Live, style: str, after: str
) -> None:
    skus = live.products(10)
    (order,) = live.place(style, skus)
    live.wait_for_event(order, after)
    assert request_cancellation(order.uuid, by="customer") is Cancellation.SHIPPED
    live.wait_until_ended([order])
    assert_shipped(live, order)
    assert "CancellationRequested" not in live.events(order)


def assert_shipped(live: Live, order: Order) -> None:
    traces = live.traces(order)
    assert (traces.status, traces.saga, traces.mails) == ("completed", "ended", ["confirmation"])
    assert (traces.charges, traces.charged_minor, traces.handed_over) == (1, 1000, 2)


@both_styles
def test_a_cancellation_that_the_pivot_overtakes_is_refused_by_shipping(live: Live, style: str) -> None:
    """orders does not know yet that the parcels have left, so it asks; shipping says no, and the order goes on."""
    skus = live.products(10)
    with live.stack.halted("notifications"):
        (order,) = live.place(style, skus)
        live.wait_for_event(order, "OrderShipped")
        with transaction.atomic(using=alias_of("orders")):
            Order.objects.filter(pk=order.pk).update(status="paid")  # as it was a moment ago
            assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
        live.wait_for_event(order, "CancellationRefused")
    live.wait_until_ended([order])
    assert_shipped(live, order)
    assert request_cancellation(order.uuid, by="customer") is Cancellation.SHIPPED


@both_styles
def test_a_cancellation_between_the_carriers_answer_and_its_record_is_refused(live: Live, style: str) -> None:
    skus = live.products(10)
    with live.stack.paused_at("answered /v1/handovers") as arrived:
        (order,) = live.place(style, skus)
        live.wait_for(arrived, "the parcels have left, and only the carrier knows")
        assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
        live.wait_for_event(order, "CancellationRefused")
    live.wait_until_ended([order])
    assert_shipped(live, order)


@both_styles
def test_cancelled_twice_is_cancelled_once(live: Live, style: str) -> None:
    skus = live.products(10)
    with live.stack.halted("shipping"):
        (order,) = live.place(style, skus, postcode=SLOW)
        for _ in range(2):
            assert request_cancellation(order.uuid, by="customer") is Cancellation.REQUESTED
        nothing_more_comes(live, "shipping")
    live.wait_until_ended([order])
    assert_undone(live, order, skus)
    assert live.events(order).count("CancellationRequested") == 1
    assert request_cancellation(order.uuid, by="customer") is Cancellation.ALREADY_CANCELLED


@both_styles
def test_cancelled_at_any_moment_an_order_is_whole_or_undone(live: Live, style: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it when the test fails)
    chance = random.Random(seed)
    skus = live.products(100)
    orders = []
    for _ in range(25):
        (order,) = live.place(style, skus, postcode=chance.choice(["N1", "N1", SLOW, "LOST 1"]))
        orders.append(order)
        time.sleep(chance.uniform(0, 0.15))
        request_cancellation(chance.choice(orders).uuid, by="customer")
    live.wait_until_ended(orders)
    completed = 0
    for order in orders:
        traces = live.traces(order)
        if traces.status == "completed":
            completed += 1
            assert_shipped(live, order)
        else:
            assert_undone(live, order, skus, on_hand=live.stock(skus[0])[0])
    assert [live.stock(sku) for sku in skus] == [(100 - completed, 0)] * 2


@both_styles
def test_an_undo_that_fails_for_good_needs_attention_and_is_done_once_when_resumed(
    live: Live, style: str
) -> None:
    """The payment provider is gone for longer than anybody waits, and a refund is owed."""
    skus, away = live.products(10), ExitStack()
    with live.stack.halted("shipping"):
        (order,) = live.place(style, skus, postcode=SLOW)
        live.wait_for_event(order, "PaymentProcessed")
        request_cancellation(order.uuid, by="customer")
        nothing_more_comes(live, "shipping")
        away.enter_context(live.stack.supervisor.held("payments"))
    with away:
        live.wait_for_event(order, "ShippingStopped")
        live.wait_for(Outage.objects.exists, "payments knows that its provider is away")
        Outage.objects.update(since=timezone.now() - timedelta(hours=25))
        live.wait_for_event(order, "StepFailed")
        # As if it had been tried so often: that takes an hour.
        Saga.objects.filter(order=order).update(attempt=19)
        Inbox.objects.filter(order_id=order.uuid).exclude(state="done").update(attempts=19)
        needing_attention = Saga.objects.filter(order=order, state="attention")
        live.wait_for(needing_attention.exists, lambda: f"it needs attention: {live.timeline(order)}")
        order = Order.objects.select_related("saga").get(pk=order.pk)
        told = why_it_waits(order)[0].text
        assert (
            f"Owed: refund of {order.total}; release of the reserved stock; message to the customer." in told
        )
        assert list(Order.objects.filter(trouble.needing("attention"), pk=order.pk)) == [order]
    live.supervised_again()
    resume([order.uuid])
    live.wait_until_ended([order])
    assert_undone(live, order, skus)
    assert live.traces(order).payment == "refunded"
