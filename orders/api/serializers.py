"""What goes into and out of the orders' addresses."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.api.entries import ParcelSerializer
from orders.api.fields import Country, PaymentMethod, WithoutCards
from orders.api.waiting import waiting
from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine
from orders.placement import PlaceOrder, WantedLine
from orders.telling.situation import cancellation
from shipping.lookups import Labels
from shop.base.api.fields import Email, ShortList, Text, WholeNumber
from shop.base.api.parsing import Body
from shop.base.lookups import ask
from shop.base.money import DECIMALS, show

DEFAULT_CURRENCY = "GBP"
MOST_LINES = 1000
MOST_UNITS = 100_000


class WantedLineSerializer(Body):
    """So many of a product. The same one twice is one line of the order."""

    sku = Text(max_length=40, trim_whitespace=False)
    quantity = WholeNumber(min_value=1, max_value=MOST_UNITS)


class AddressSerializer(Body):
    """Where the parcels go. What looks like a card's number is refused in each of its texts."""

    name = WithoutCards("name", 100)
    line1 = WithoutCards("line with street and number", 200)
    city = WithoutCards("town or city", 100)
    postcode = WithoutCards("postcode", 20)
    country = Country()


class PaymentMethodSerializer(Body):
    payment_method = PaymentMethod()


class PlaceOrderSerializer(Body):
    """What a customer asks for."""

    lines = ShortList(child=WantedLineSerializer(), min_length=1, max_length=MOST_LINES)
    currency = serializers.ChoiceField(
        choices=list(DECIMALS), default=DEFAULT_CURRENCY, help_text="ISO 4217."
    )
    payment_method = PaymentMethod()
    email = Email(max_length=254)
    address = AddressSerializer()
    style = serializers.ChoiceField(  # type: ignore[assignment]  # DRF takes it out of the class
        choices=list(settings.STYLES), required=False, help_text="If not given: as the shop is set."
    )

    def wanted(self, customer_id: int, key: str) -> PlaceOrder:
        body = self.validated_data
        return PlaceOrder(
            customer_id=customer_id,
            idempotency_key=key,
            lines=[WantedLine(**line) for line in body["lines"]],
            currency=body["currency"],
            payment_method=body["payment_method"],
            email=body["email"],
            address=DeliveryAddress(**body["address"]),
            style=body.get("style"),
        )


ANY = str(UUID(int=0))


class LinksSerializer(serializers.Serializer):
    self = serializers.CharField()
    timeline = serializers.CharField()
    cancel = serializers.CharField()


def links(order_id: UUID) -> dict[str, str]:
    """Without a host, so that the answer to a repeated request is the same by whatever name it came."""
    return {key: address.replace(ANY, str(order_id)) for key, address in _addresses().items()}


@cache
def _addresses() -> dict[str, str]:
    """Of any order."""
    names = {"self": "api-order", "timeline": "api-order-timeline", "cancel": "api-order-cancel"}
    return {key: reverse(name, args=[ANY]) for key, name in names.items()}


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order in a list."""

    id = serializers.UUIDField(source="uuid")
    number = serializers.CharField(help_text="For people, such as `S-100042`.")
    total = serializers.CharField(help_text="For people.")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = [
            "id", "number", "style", "status", "currency", "total_minor", "total", "placed_at", "ended_at", "links",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(LinksSerializer)
    def get_links(self, order: Order) -> dict[str, str]:
        return links(order.uuid)


class ReceiptSerializer(OrderSerializer):
    """The answer to a placed order. It never changes, however far the order has come when it is asked for again."""

    status = serializers.SerializerMethodField(help_text="Always `placed`.")

    class Meta(OrderSerializer.Meta):
        fields = ["id", "number", "style", "status", "currency", "total_minor", "total", "placed_at", "links"]
        read_only_fields = fields

    def get_status(self, order: Order) -> str:
        return Order.Status.PLACED.value


def receipt(order: Order) -> dict[str, Any]:
    """What ``ReceiptSerializer`` makes of an order, which takes ten times as long to make it."""
    return {
        "id": str(order.uuid),
        "number": order.number,
        "style": order.style,
        "status": Order.Status.PLACED.value,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "total": order.total,
        "placed_at": order.placed_at.isoformat().replace("+00:00", "Z"),
        "links": links(order.uuid),
    }


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    price = serializers.SerializerMethodField(help_text="Of one, for people.")
    total_minor = serializers.SerializerMethodField()

    class Meta:
        model = OrderLine
        fields = ["sku", "name", "quantity", "price_minor", "price", "total_minor"]

    def get_price(self, line: OrderLine) -> str:
        return show(line.price_minor, self.context["currency"])

    def get_total_minor(self, line: OrderLine) -> int:
        return line.quantity * line.price_minor


class WaitingSerializer(serializers.Serializer):
    """How far an order has come, and what it waits for."""

    reached = serializers.CharField(help_text="The last step done.")
    undone = serializers.CharField(help_text="The last step undone; empty: it is not being undone.")
    text = serializers.CharField(help_text="What is being done.")
    attempt = serializers.IntegerField(help_text="How often it was taken up again.")
    next_look = serializers.DateTimeField(
        allow_null=True, help_text="When it is taken up again at the latest, should nothing happen before."
    )
    trouble = serializers.CharField(help_text="What went wrong, if something did.")
    last_error = serializers.CharField(required=False, help_text="Only for staff.")


class DeliverySerializer(serializers.ModelSerializer[Order]):
    """Where the parcels go."""

    class Meta:
        model = Order
        fields = ["name", "line1", "city", "postcode", "country"]


class CancelledSerializer(serializers.Serializer):
    """Why an order is being cancelled, or is cancelled."""

    reason = serializers.CharField(help_text="Such as `out of stock`; empty: who wanted it gave none.")
    by = serializers.CharField(help_text="`customer`, `staff`, or `shop`: it could not be fulfilled.")


class OrderDetailSerializer(OrderSerializer):
    """One order, with where it is and why it waits."""

    address = DeliverySerializer(source="*")
    lines = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField(help_text="Null when the order is at its end.")
    cancellation = serializers.SerializerMethodField(help_text="Null when the order is not being cancelled.")
    parcels = serializers.SerializerMethodField(help_text="Those that have a label.")

    class Meta(OrderSerializer.Meta):
        fields = [
            *OrderSerializer.Meta.fields,
            "email",
            "address",
            "lines",
            "waiting",
            "cancellation",
            "parcels",
        ]
        read_only_fields = fields

    @extend_schema_field(OrderLineSerializer(many=True))
    def get_lines(self, order: Order) -> Any:
        return OrderLineSerializer(order.lines.all(), many=True, context={"currency": order.currency}).data

    @extend_schema_field(WaitingSerializer(allow_null=True))
    def get_waiting(self, order: Order) -> Any:
        answer = waiting(order, for_staff=self.context["request"].user.is_staff)
        return WaitingSerializer(answer).data if answer else None

    @extend_schema_field(CancelledSerializer(allow_null=True))
    def get_cancellation(self, order: Order) -> Any:
        # A wish that came too late stands in the saga until its refusal has been noted.
        return None if order.status == Order.Status.COMPLETED else cancellation(order.saga)

    @extend_schema_field(ParcelSerializer(many=True))
    def get_parcels(self, order: Order) -> Any:
        found = ask(Labels, [order.uuid]).get(order.uuid)
        tracking = found.tracking if found else {}
        return [{"warehouse": warehouse, "tracking": number} for warehouse, number in tracking.items()]


class CancellationSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()
    status = serializers.CharField(help_text="`cancelling`, or `cancelled` when it was cancelled already.")
    detail = serializers.CharField()
    links = LinksSerializer()
