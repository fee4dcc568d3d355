"""Everything known of each order, over all services, gathered chunk by chunk with one query per table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from inventory.models import Reservation, ReservationLine
from notifications.models import Mail, Notification
from orders.models import Order, OrderLine, Saga, TimelineEntry
from payments.models import Payment
from shipping.models import Parcel, Shipment
from shop.messaging.confirming import lacking
from shop.messaging.models import AbstractInbox
from shop.messaging.outbox import unconfirmed
from shop.messaging.pruning import kept_since
from shop.messaging.rows import now_in
from shop.messaging.tables import inbox_of, services
from shop.tools.audit.ledgers import Ledgers, Money
from shop.tools.audit.sql import any_of, rows

CHUNK = 1000
Status = Order.Status
_UNITS = "string_agg(units || ' of ' || sku, ', ' ORDER BY sku COLLATE \"C\")"
ORDERED = f"""
    SELECT order_id, {_UNITS} FROM (
        SELECT order_id, sku, sum(quantity) AS units FROM orders_orderline WHERE order_id = ANY(%s) GROUP BY 1, 2
    ) AS line GROUP BY 1
"""
SET_ASIDE = f"""
    SELECT reservation_id, {_UNITS} FROM (
        SELECT l.reservation_id, p.sku, sum(l.quantity) AS units FROM inventory_reservationline l
        JOIN inventory_stock s ON s.id = l.stock_id JOIN inventory_product p ON p.id = s.product_id
        WHERE l.reservation_id = ANY(%s) GROUP BY 1, 2
    ) AS line GROUP BY 1
"""
STOCK_FROM = """
    SELECT DISTINCT l.reservation_id, w.code FROM inventory_reservationline l
    JOIN inventory_stock s ON s.id = l.stock_id JOIN inventory_warehouse w ON w.id = s.warehouse_id
    WHERE l.reservation_id = ANY(%s)
"""


@dataclass
class Case:
    """One order. ``in_flight``: it has not ended, ended while we read, or a receiver has still to hear of it.

    ``now``: when it was read, by the clock that all its times are of: the database's.
    """

    order: Order
    saga: Saga | None
    now: datetime
    ended_meanwhile: bool = False
    in_flight: bool = False
    parked: list[AbstractInbox] = field(default_factory=list)
    ordered: str = ""  # units per SKU, as "2 of A, 1 of B"; of completed orders only
    set_aside: str = ""
    stock_from: set[str] = field(default_factory=set)
    reservation: Reservation | None = None
    payment: Payment | None = None
    money: Money = field(default_factory=Money)
    shipment: Shipment | None = None
    parcels: list[tuple[Parcel, list[str]]] = field(
        default_factory=list
    )  # with what the carrier did, in its words
    withdrawn: list[tuple[Parcel, list[str]]] = field(
        default_factory=list
    )  # the same, under keys withdrawn since
    mails: list[Notification] = field(default_factory=list)
    not_in_mailbox: list[Notification] = field(default_factory=list)
    timeline: list[str] = field(default_factory=list)  # events

    @property
    def number(self) -> str:
        return self.order.number

    @property
    def status(self) -> str:
        return self.order.status

    @property
    def completed(self) -> bool:
        return self.status == Status.COMPLETED

    @property
    def cancelled(self) -> bool:
        return self.status == Status.CANCELLED


def gather(ledgers: Ledgers, newest: int | None = None) -> Iterator[list[Case]]:
    """The cases of all orders there are when we begin, or of so many of the ``newest``; oldest first."""
    last = Order.objects.aggregate(last=Max("pk"))["last"] or 0
    before = (
        None
        if newest is None
        else Order.objects.order_by("-pk").values_list("pk", flat=True)[newest:].first()
    )
    after = before or 0
    while orders := list(
        Order.objects.select_related("saga").filter(pk__gt=after, pk__lte=last).order_by("pk")[:CHUNK]
    ):
        yield _cases(orders, ledgers)
        after = orders[-1].pk


def _cases(orders: Sequence[Order], ledgers: Ledgers) -> list[Case]:
    """What is still to be heard is read first: so whatever is not in flight has had its effect on what is read next."""
    now = now_in(Order)
    cases = {order.uuid: Case(order, getattr(order, "saga", None), now) for order in orders}
    unheard = _unheard(list(cases))
    for uuid, case in cases.items():
        ended = case.saga is not None and case.saga.state == Saga.State.ENDED
        # What is said to end later than now ended while a clock was wrong, and is no excuse.
        ended_at = case.order.ended_at
        case.ended_meanwhile = ended_at is not None and ledgers.read_at <= ended_at <= now
        parked = case.saga is not None and case.saga.state in Saga.WAIT_FOR_A_PERSON
        case.in_flight = (not ended and not parked) or case.ended_meanwhile or uuid in unheard
    _add_kernel_and_inventory(cases)
    _add_payments_and_parcels(cases, ledgers)
    _add_mails(cases)
    by_pk = {case.order.pk: case for case in cases.values()}
    for pk, event in TimelineEntry.objects.filter(order__in=by_pk).values_list("order", "event"):
        by_pk[pk].timeline.append(event)
    return list(cases.values())


def _unheard(ids: list[UUID]) -> set[UUID]:
    """The orders of which some event has not been handled by all its receivers."""
    unheard: set[UUID] = set()
    for service in services():
        rows = list(unconfirmed(service).filter(any_of("order_id", ids)))
        missing = lacking(rows)
        unheard |= {row.order_id for row in rows if row.event_id in missing}
        failing = inbox_of(service)._default_manager.filter(any_of("order_id", ids)).exclude(state="done")
        unheard |= set(failing.values_list("order_id", flat=True))
    return unheard


def _add_kernel_and_inventory(cases: dict[UUID, Case]) -> None:
    for service in services():
        inbox = inbox_of(service)
        parked = inbox._default_manager.filter(any_of("order_id", cases), state=inbox.State.PARKED)
        for row in parked.order_by("pk"):
            cases[row.order_id].parked.append(row)
    for reservation in Reservation.objects.filter(any_of("pk", cases)):
        cases[reservation.pk].reservation = reservation
    _compare_units(cases)


def _compare_units(cases: dict[UUID, Case]) -> None:
    """Every line of every order is much to fetch: each side is summed up in its own database, as a text per order."""
    completed = {case.order.pk: case for case in cases.values() if case.completed}
    for pk, units in rows(OrderLine, ORDERED, list(completed)):
        completed[pk].ordered = units
    uuids = [case.order.uuid for case in completed.values()]
    for uuid, units in rows(ReservationLine, SET_ASIDE, uuids):
        cases[uuid].set_aside = units
    for uuid, warehouse in rows(ReservationLine, STOCK_FROM, uuids):
        cases[uuid].stock_from.add(warehouse)


def _add_payments_and_parcels(cases: dict[UUID, Case], ledgers: Ledgers) -> None:
    payments = list(Payment.objects.filter(any_of("pk", cases)))
    money = ledgers.take_money(payment.charge_key for payment in payments)
    for payment in payments:
        cases[payment.pk].payment = payment
        cases[payment.pk].money = money.get(payment.charge_key, Money())
    for shipment in Shipment.objects.filter(any_of("pk", cases)):
        cases[shipment.pk].shipment = shipment
    parcels = list(Parcel.objects.filter(any_of("shipment_id", cases)).order_by("warehouse"))
    carried = ledgers.take_parcels(key for p in parcels for key in (p.key, *p.withdrawn.split()))
    for parcel in parcels:
        cases[parcel.shipment_id].parcels.append((parcel, carried.get(parcel.key, [])))
        withdrawn = [carried.get(key, []) for key in parcel.withdrawn.split()]
        cases[parcel.shipment_id].withdrawn += [(parcel, did) for did in withdrawn]


def _add_mails(cases: dict[UUID, Case]) -> None:
    mails = list(Notification.objects.filter(any_of("order_id", cases)).order_by("pk"))
    for row in mails:
        cases[row.order_id].mails.append(row)
    if settings.EMAIL_BACKEND == "notifications.mailbox.MailboxBackend":
        sent = {row.message_id: row for row in mails if row.state == Notification.State.SENT}
        known = set(Mail.objects.filter(any_of("message_id", sent)).values_list("message_id", flat=True))
        for message_id, row in sent.items():
            if message_id not in known and (row.sending_since or row.updated_at) > kept_since("MAILS"):
                cases[row.order_id].not_in_mailbox.append(row)
