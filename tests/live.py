"""What a test does with the running shop: place orders, wait, and look at everything an order left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import msgspec

from inventory.models import Product, Reservation, Stock, Warehouse
from inventory.services import Delivery, receive_stock
from notifications.models import Notification
from orders.lookups import DeliveryAddress
from orders.models import Order, TimelineEntry
from orders.placement import Placed, PlaceOrder, WantedLine, place_orders
from payments.gateway import gateway
from payments.models import Payment
from shipping.carrier import carrier
from shipping.models import Parcel
from shop.messaging.tables import outbox_of, services
from tests.brokers import Broker
from tests.stack import LiveStack

ADDRESS = DeliveryAddress(
    name="Ada Byron", line1="12 St James's Sq", city="London", postcode="SW1Y", country="GB"
)
PATIENCE = 60.0  # s; what is left undone after that is a failure, not slowness


@dataclass(frozen=True)
class Traces:
    """All an order left behind, in every service and with both providers."""

    status: str
    saga: str
    payment: str | None
    charged_minor: int
    charges: int
    parcels: list[str]
    handed_over: int
    mails: list[str]


class Live:
    def __init__(self, stack: LiveStack, broker: Broker) -> None:
        self.stack, self.broker = stack, broker

    def products(self, units: int = 100) -> tuple[str, str]:
        """Two new products, one in each warehouse: an order of both travels in two parcels."""
        north, south = f"N-{uuid4().hex[:8]}", f"S-{uuid4().hex[:8]}"
        for code in ("NORTH", "SOUTH"):
            Warehouse.objects.get_or_create(code=code, defaults={"name": code.title()})
        Product.objects.bulk_create(
            Product(sku=sku, name=f"Product {sku}", price_minor=500) for sku in (north, south)
        )
        receive_stock([Delivery(north, "NORTH", units), Delivery(south, "SOUTH", units)])
        return north, south

    def place(
        self,
        style: str | None,
        skus: Sequence[str],
        *,
        orders: int = 1,
        card: str = "approved",
        postcode: str = ADDRESS.postcode,
        units: int = 1,
    ) -> list[Order]:
        answers = place_orders(
            [
                PlaceOrder(
                    customer_id=1,
                    idempotency_key=uuid4().hex,
                    lines=[WantedLine(sku, units) for sku in skus],
                    currency="GBP",
                    payment_method=f"pm_card_{card}",
                    email="ada@example.invalid",
                    address=msgspec.structs.replace(ADDRESS, postcode=postcode),
                    style=style,
                )
                for _ in range(orders)
            ]
        )
        return [answer.order for answer in answers if isinstance(answer, Placed)]

    def wait_for(
        self, condition: Callable[[], object], what: str | Callable[[], str], patience: float = PATIENCE
    ) -> None:
        """``what``: in words, or what finds the words when the time is up."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                told = what if isinstance(what, str) else what()
                raise AssertionError(f"After {patience:g} s still not: {told}")
            time.sleep(0.01)

    def supervised_again(self) -> None:
        """Until every process of the shop runs again."""
        self.wait_for(self.stack.supervisor.settled, "all processes are back")

    def wait_for_event(self, order: Order, event: str) -> None:
        entries = TimelineEntry.objects.filter(order=order, event=event)
        self.wait_for(entries.exists, lambda: f"{event} of {order.number}. Timeline: {self.timeline(order)}")

    def wait_until_ended(self, orders: Sequence[Order], patience: float = PATIENCE) -> None:
        """Until status and saga are at an end, and no event about the orders is still to be handled."""
        keys = [order.pk for order in orders]
        unended = Order.objects.filter(pk__in=keys).exclude(saga__state="ended")
        deadline = time.monotonic() + patience
        while unended.exists() or self._unsettled(orders):
            if time.monotonic() > deadline:
                stuck = unended.first() or orders[0]
                raise AssertionError(
                    f"{unended.count()} of {len(keys)} orders have not ended after {patience:g} s; "
                    f"{stuck.number}: {self.timeline(stuck)}"
                )
            time.sleep(0.02)

    def _unsettled(self, orders: Sequence[Order]) -> bool:
        """Whether an event about the orders, or its effect, is still on its way."""
        ids = [order.uuid for order in orders]
        departures = Reservation.objects.filter(order_id__in=ids, state="reserved")
        if departures.exists():  # in choreography stock departs beside the confirmation, not before it
            return True
        told = sum(
            outbox_of(service)
            ._default_manager.filter(order_id__in=ids)
            .order_by()
            .values("event_id")
            .distinct()
            .count()
            for service in services()
        )
        return told > TimelineEntry.objects.filter(order__in=orders).count()

    def timeline(self, order: Order) -> list[str]:
        return [f"{entry.service}: {entry.event}: {entry.text}" for entry in order.timeline.all()]

    def events(self, order: Order) -> list[str]:
        return [entry.event for entry in order.timeline.all()]

    def stock(self, sku: str) -> tuple[int, int]:
        """(on hand, reserved), over all warehouses."""
        rows = Stock.objects.filter(product__sku=sku)
        return sum(row.on_hand for row in rows), sum(row.reserved for row in rows)

    def traces(self, order: Order) -> Traces:
        order = Order.objects.select_related("saga").get(pk=order.pk)
        payment = Payment.objects.filter(order_id=order.uuid).first()
        books = [move for move in gateway().ledger() if payment and move.key == payment.charge_key]
        keys = list(Parcel.objects.filter(shipment=order.uuid).values_list("key", flat=True))
        handed_over = {
            move.key for move in carrier().ledger() if move.kind == "handover" and move.key in keys
        }
        refunds = [move for move in gateway().ledger() if payment and move.key == payment.refund_key]
        return Traces(
            status=order.status,
            saga=order.saga.state,
            payment=payment.state if payment else None,
            charged_minor=sum(move.amount_minor for move in {m.id: m for m in books + refunds}.values()),
            charges=sum(move.kind == "charge" for move in books),
            parcels=sorted(Parcel.objects.filter(shipment=order.uuid).values_list("state", flat=True)),
            handed_over=len(handed_over),
            mails=sorted(
                Notification.objects.filter(order_id=order.uuid, state="sent").values_list(
                    "template", flat=True
                )
            ),
        )
