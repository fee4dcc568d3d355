"""SIGKILL at the worst moments: no order is lost, stranded or done twice, in either style."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Order, Saga
from orders.saga import resume
from payments.models import Outage
from shop.messaging import subscriptions
from shop.messaging.rows import as_json
from shop.messaging.sending import Letter, send, send_to_be_noted
from shop.messaging.subscriptions import noting_services
from shop.messaging.tables import outbox_of, services
from tests.celery_events import listening, states_of
from tests.live import Live

pytestmark = pytest.mark.scenario
both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])


def assert_whole(live: Live, orders: list[Order], skus: tuple[str, str]) -> None:
    for order in orders:
        traces = live.traces(order)
        assert (traces.status, traces.saga, traces.payment) == ("completed", "ended", "charged")
        assert (traces.charges, traces.charged_minor, traces.handed_over) == (1, 1000, 2)
        assert traces.mails == ["confirmation"]
        for once in (
            "InventoryReserved",
            "PaymentProcessed",
            "OrderShipped",
            "ConfirmationSent",
            "OrderCompleted",
        ):
            assert live.events(order).count(once) == 1
    assert [live.stock(sku) for sku in skus] == [(100 - len(orders), 0)] * 2


def assert_undone(live: Live, orders: list[Order], skus: tuple[str, str]) -> None:
    for order in orders:
        traces = live.traces(order)
        assert (traces.status, traces.saga, traces.mails) == ("cancelled", "ended", ["cancellation"])
        assert (traces.charged_minor, traces.handed_over) == (0, 0)
    assert [live.stock(sku) for sku in skus] == [(100, 0)] * 2


def crash(
    live: Live, moment: str, style: str, *, warehouses: int = 2, **placing: str
) -> tuple[list[Order], tuple[str, str]]:
    """Place three orders, each of so many parcels, and have one process end at the moment."""
    skus = live.products(100)
    armed = live.stack.arm(f"end {moment}")
    orders = live.place(style, skus[:warehouses], orders=3, **placing)  # type: ignore[arg-type]
    live.wait_for(armed.taken, f"a process ends at: {moment}")
    live.wait_until_ended(orders)
    return orders, skus


@both_styles
@pytest.mark.parametrize(
    "moment",
    [
        "committing InventoryReserved",
        "answered /v1/charges",
        "committing PaymentProcessed",
        "committed PaymentProcessed",
        "answered /v1/labels",
        "committing ParcelsLabelled",
        "committed ParcelsLabelled",  # in choreography the dead worker would have taken it at once
        "answered /v1/handovers",
        "committing OrderShipped",
        "committed OrderShipped",
        "committing StockDispatched",
        "answered mail",
        "committing ConfirmationSent",
        "committing OrderCompleted",
        "claimed",
        "relayed",
    ],
)
def test_killed_at_a_moment_of_a_step(live: Live, style: str, moment: str) -> None:
    """Between the outside's answer and its record, before the commit, after it, and in the relay."""
    orders, skus = crash(live, moment, style)
    assert_whole(live, orders, skus)


@both_styles
@pytest.mark.parametrize(
    "moment",
    [
        "answered /v1/labels/void",
        "committing ShippingFailed",
        "answered /v1/refunds",
        "committing PaymentRefunded",
        "committing InventoryReleased",
        "committing OrderCancelled",
        "committing CancellationNoticeSent",
    ],
)
def test_killed_while_undoing(live: Live, style: str, moment: str) -> None:
    orders, skus = crash(live, moment, style, postcode="REFUSE")
    assert_undone(live, orders, skus)


@both_styles
def test_killed_while_undoing_orders_of_one_parcel(live: Live, style: str) -> None:
    """No second parcel comes by to finish what the dead worker left."""
    orders, skus = crash(live, "committing ShippingFailed", style, warehouses=1, postcode="REFUSE")
    assert_undone(live, orders, skus)


@pytest.mark.parametrize(
    ("style", "moment"),
    [
        ("orchestration", "received inventory.reserve_stock"),
        ("orchestration", "handled inventory.reserve_stock"),
        ("orchestration", "received payments.take_payment"),
        ("orchestration", "handled payments.take_payment"),  # committed, but the next link was never sent
        ("orchestration", "sent_on payments.take_payment"),  # it was sent, and this one is not acknowledged
        ("orchestration", "received orders.label_parcels"),  # in the payments' worker: it only sends
        ("orchestration", "handled orders.label_parcels"),
        ("orchestration", "received shipping.create_labels"),
        ("orchestration", "handled shipping.create_labels"),  # in the middle of a chord
        ("choreography", "received payments.on.InventoryReserved"),
        ("choreography", "handled payments.on.InventoryReserved"),
        ("choreography", "sent_on payments.on.InventoryReserved"),
    ],
)
def test_killed_around_a_message(live: Live, style: str, moment: str) -> None:
    orders, skus = crash(live, moment, style)
    assert_whole(live, orders, skus)


@both_styles
@pytest.mark.parametrize(("placed", "told"), [(1, 1), (3, 0)])
def test_a_commit_that_fails_once_is_tried_again_and_charges_once(
    live: Live, style: str, placed: int, told: int
) -> None:
    """One order is told of the fault and waits; a set is at once tried one at a time, so nobody is told."""
    skus = live.products(100)
    armed = live.stack.arm("fail committing PaymentProcessed")
    orders = live.place(style, skus, orders=placed)
    live.wait_for(armed.taken, "a commit fails")
    live.wait_until_ended(orders)
    assert_whole(live, orders, skus)
    assert [live.events(order).count("StepFailed") for order in orders] == [told] * placed


@both_styles
def test_a_flushed_broker_loses_no_order(live: Live, style: str) -> None:
    skus = live.products(100)
    orders = []
    for _ in range(5):
        orders += live.place(style, skus, orders=2)
        live.broker.flush()
    live.wait_for_event(orders[-1], "OrderCreated")
    live.broker.flush()
    live.wait_until_ended(orders)
    assert_whole(live, orders, skus)


@both_styles
@pytest.mark.parametrize("first", [False, True], ids=["sent again", "doubled by the broker"])
def test_messages_delivered_twice_change_nothing(live: Live, style: str, first: bool) -> None:
    """Every event of ended orders is sent to every subscriber once more, also as if nobody had ever sent it."""
    skus = live.products(100)
    orders = live.place(style, skus, orders=3)
    live.wait_until_ended(orders)
    before = [live.traces(order) for order in orders], [live.events(order) for order in orders]
    for service in services():
        rows = list(outbox_of(service)._default_manager.filter(order_id__in=[order.uuid for order in orders]))
        for subscriber in services():
            wanted = [row for row in rows if subscriptions.of(row.type, service=subscriber, style=style)]
            with live.broker.producer() as producer:
                letters = [
                    Letter(row.type, row.order_id, row.number, row.style, as_json(row.payload))
                    for row in wanted
                ]
                send(subscriber, letters, producer, first=first)
                if subscriber in noting_services():
                    send_to_be_noted(subscriber, letters, producer)
    (probe,) = live.place(style, skus)  # behind them in every queue
    live.wait_until_ended([probe])
    assert before == ([live.traces(order) for order in orders], [live.events(order) for order in orders])
    assert_whole(live, [*orders, probe], skus)


@both_styles
def test_a_parked_order_goes_on_when_a_person_says_so(live: Live, style: str) -> None:
    """The payment provider is gone for longer than anybody waits. Flower tells of each attempt what became of it."""
    skus = live.products(100)
    with listening(live) as flower, live.stack.supervisor.held("payments"):
        orders = live.place(style, skus, orders=2)
        parked = Saga.objects.filter(
            order__in=orders, state="parked", last_error__contains="payments.take_payment"
        )
        live.wait_for(Outage.objects.exists, "payments knows that its provider is away")
        Outage.objects.update(since=timezone.now() - timedelta(hours=25))
        live.wait_for(lambda: parked.count() == 2, "both orders are parked, and say why")
        neighbour_of_the_parked = live.place(style, skus)  # placed behind them: it fails on its own
        live.wait_for_event(neighbour_of_the_parked[0], "StepFailed")
        name = "payments.take_payment" if style == "orchestration" else "payments.on.InventoryReserved"
        live.wait_for(
            lambda: "FAILURE" in states_of(flower, name, orders[0].number), "the last one has failed"
        )
        attempts = [one for _, one in flower.tasks_by_time() if one.name == name]
        assert {one.state for one in attempts} == {"RETRY", "FAILURE"}
        assert all("The payment provider" in one.exception for one in attempts)
        assert {one.state for one in attempts if "parked for a person" in one.exception} == {"FAILURE"}
        others = {one.state for _, one in flower.tasks_by_time() if not one.name.startswith("payments.")}
        assert others == {"SUCCESS"}
    live.supervised_again()
    resume([order.uuid for order in orders])
    live.wait_until_ended([*orders, *neighbour_of_the_parked])
    assert_whole(live, [*orders, *neighbour_of_the_parked], skus)
