"""Rows and ledgers as a shop leaves them that kept every promise, written directly, for the audit to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from inventory.models import Product, Receipt, Reservation, ReservationLine, Stock, Warehouse
from notifications.models import Mail, Notification
from orders.models import Order, OrderLine, Saga, TimelineEntry
from payments.gateway import Approved, Charge, Refund, gateway
from payments.models import Payment
from shipping.carrier import Address, HandedOver, LabelRequest, Voided, carrier
from shipping.models import Parcel, Shipment
from tests.providers import merged

ADDRESS = Address("Ada", "1 Example Street", "Example Town", "X1", "GB")
PRICE = 250
QUANTITY = 2


@dataclass
class Shelf:
    """Two warehouses, and products that are each in one of them."""

    stocks: list[Stock]

    @classmethod
    def make(cls, products: int = 2) -> Shelf:
        places = [Warehouse.objects.create(code=code, name=code) for code in ("LON", "MAN")]
        goods = Product.objects.bulk_create(
            Product(sku=f"P{index}", name=f"Product {index}", price_minor=PRICE) for index in range(products)
        )
        stocks = [Stock(product=p, warehouse=places[i % 2], on_hand=100_000) for i, p in enumerate(goods)]
        Stock.objects.bulk_create(stocks)
        Receipt.objects.bulk_create(Receipt(stock=stock, quantity=100_000) for stock in stocks)
        return cls(stocks)

    def take(self, units: Counter[int], *, departed: bool) -> None:
        for stock in self.stocks:
            stock.refresh_from_db()
            stock.on_hand -= units[stock.pk] if departed else 0
            stock.reserved += 0 if departed else units[stock.pk]
            stock.save()


def completed(shelf: Shelf, count: int = 1) -> list[Order]:
    """Orders of one line per product of the shelf that were fulfilled a minute ago."""
    orders = _orders(shelf, count, Order.Status.COMPLETED)
    _sagas(orders, state=Saga.State.ENDED, step="completed")
    _reserve(shelf, orders, Reservation.State.DEPARTED)
    shelf.take(Counter({stock.pk: QUANTITY * count for stock in shelf.stocks}), departed=True)
    _charge(orders, Payment.State.CHARGED)
    parcels = _label(shelf, orders, Shipment.State.HANDED_OVER)
    answers = merged(carrier().hand_over([parcel.key for parcel in parcels]))
    assert all(isinstance(answer, HandedOver) for answer in answers.values())
    _set_state(parcels, Parcel.State.HANDED_OVER)
    _mail(orders, "confirmation", "OrderShipped")
    _tell(orders, "OrderCreated", "OrderCompleted")
    return orders


def cancelled(shelf: Shelf, count: int = 1) -> list[Order]:
    """Orders that were labelled, then cancelled by the customer a minute ago."""
    orders = _orders(shelf, count, Order.Status.CANCELLED)
    _sagas(orders, state=Saga.State.ENDED, step="paid", undo="notified", reason="cancelled by customer")
    _reserve(shelf, orders, Reservation.State.RELEASED)
    payments = _charge(orders, Payment.State.REFUNDED)
    merged(gateway().refund([Refund(payment.refund_key, payment.charge_key) for payment in payments]))
    Payment.objects.filter(pk__in=[payment.pk for payment in payments]).update(
        refunded_minor=orders[0].total_minor
    )
    parcels = _label(shelf, orders, Shipment.State.STOPPED)
    answers = merged(carrier().void([parcel.key for parcel in parcels]))
    assert all(isinstance(answer, Voided) for answer in answers.values())
    _set_state(parcels, Parcel.State.VOID)
    _mail(orders, "cancellation", "OrderCancelled")
    _tell(orders, "OrderCreated", "OrderCancelled")
    return orders


def running(shelf: Shelf, count: int = 1) -> list[Order]:
    """Orders that are paid and have a deadline ahead."""
    orders = _orders(shelf, count, Order.Status.PAID)
    _sagas(orders, step="paid", deadline=timezone.now() + timedelta(minutes=1))
    _reserve(shelf, orders, Reservation.State.RESERVED)
    shelf.take(Counter({stock.pk: QUANTITY * count for stock in shelf.stocks}), departed=False)
    _charge(orders, Payment.State.CHARGED)
    _tell(orders, "OrderCreated")
    return orders


def _orders(shelf: Shelf, count: int, status: Order.Status) -> list[Order]:
    then = timezone.now() - timedelta(minutes=1)
    ended = status in (Order.Status.COMPLETED, Order.Status.CANCELLED)
    orders = Order.objects.bulk_create(
        Order(
            customer_id=1,
            style="choreography",
            status=status,
            currency="GBP",
            total_minor=PRICE * QUANTITY * len(shelf.stocks),
            payment_method="pm_card_approved",
            email="ada@example.invalid",
            idempotency_key=uuid4().hex,
            request_digest="",
            placed_at=then,
            ended_at=then if ended else None,
            name="Ada",
        )
        for _ in range(count)
    )
    OrderLine.objects.bulk_create(
        (
            OrderLine(order=order, sku=stock.product.sku, name="x", quantity=QUANTITY, price_minor=PRICE)
            for order in orders
            for stock in shelf.stocks
        ),
        batch_size=5000,
    )
    return orders


def _sagas(orders: Sequence[Order], **fields: object) -> None:
    Saga.objects.bulk_create(Saga(order=order, moved_at=order.placed_at, **fields) for order in orders)


def _reserve(shelf: Shelf, orders: Sequence[Order], state: Reservation.State) -> None:
    rows = Reservation.objects.bulk_create(
        Reservation(order_id=order.uuid, number=order.number, state=state) for order in orders
    )
    ReservationLine.objects.bulk_create(
        (
            ReservationLine(reservation=row, stock=stock, quantity=QUANTITY)
            for row in rows
            for stock in shelf.stocks
        ),
        batch_size=5000,
    )


def _charge(orders: Sequence[Order], state: Payment.State) -> list[Payment]:
    payments = Payment.objects.bulk_create(
        Payment(
            order_id=order.uuid,
            number=order.number,
            state=state,
            amount_minor=order.total_minor,
            currency="GBP",
            method=order.payment_method,
        )
        for order in orders
    )
    charges = [Charge(p.charge_key, p.amount_minor, p.currency, p.method, p.number) for p in payments]
    answers = merged(gateway().charge(charges))
    assert all(isinstance(answer, Approved) for answer in answers.values())
    return payments


def _label(shelf: Shelf, orders: Sequence[Order], state: Shipment.State) -> list[Parcel]:
    shipments = Shipment.objects.bulk_create(
        Shipment(order_id=order.uuid, number=order.number, state=state) for order in orders
    )
    places = sorted({stock.warehouse.code for stock in shelf.stocks})
    parcels = Parcel.objects.bulk_create(
        Parcel(shipment=shipment, warehouse=place) for shipment in shipments for place in places
    )
    merged(
        carrier().create_labels(
            [LabelRequest(p.key, p.shipment.number, p.warehouse, ADDRESS) for p in parcels]
        )
    )
    return parcels


def _set_state(parcels: Sequence[Parcel], state: Parcel.State) -> None:
    Parcel.objects.filter(pk__in=[parcel.pk for parcel in parcels]).update(state=state)


def _mail(orders: Sequence[Order], template: str, event: str) -> None:
    rows = Notification.objects.bulk_create(
        Notification(order_id=o.uuid, number=o.number, template=template, event=event, state="sent")
        for o in orders
    )
    Mail.objects.bulk_create(
        Mail(message_id=row.message_id, to="x", subject=row.number, text="") for row in rows
    )


def _tell(orders: Sequence[Order], *events: str) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            order=order,
            event_id=uuid4(),
            at=order.placed_at,
            service="orders",
            event=event,
            kind="forward",
            text=event,
        )
        for order in orders
        for event in events
    )
