"""Orders over REST. A customer sees their own and nobody else's: another's is not there (404)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import DataError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from orders.api import docs
from orders.api.beside import beside
from orders.api.bodies import GoodBody, OrderBody
from orders.api.door import place
from orders.api.entries import TimelineEntrySerializer
from orders.api.fields import idempotency_key
from orders.api.filters import OrderFilter
from orders.api.pagination import OrderPages, TimelinePages
from orders.api.problems import Backlog, KeyReused, TooLateToCancel
from orders.api.serializers import (
    OrderDetailSerializer,
    OrderSerializer,
    PlaceOrderSerializer,
    links,
    receipt,
)
from orders.models import Order, TimelineEntry
from orders.placement import KeyTaken, NotNow, NotPlaceable, Placed
from orders.services import Cancellation, request_cancellation
from shop.base.api.customers import CustomersView
from shop.base.api.views import NamedList
from shop.base.brakes.braked import PLACING, Braked

REPLAYED = {"Idempotent-Replayed": "true"}  # the answer is that to an earlier request


class OrdersView(CustomersView):
    def own(self) -> QuerySet[Order]:
        return Order.objects.filter(customer_id=self.customer_id)


class Orders(NamedList, OrdersView, ListAPIView):
    parser_classes = [OrderBody]
    rates = {**Braked.rates, "POST": PLACING}
    queryset = Order.objects.none()
    serializer_class = OrderSerializer
    pagination_class = OrderPages
    filterset_class = OrderFilter

    def get_queryset(self) -> QuerySet[Order]:
        return self.own()

    @docs.listing
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your orders, the newest first."""
        return super().get(request, *args, **kwargs)

    @docs.placing
    def post(self, request: Request) -> Response:
        """Place an order. It is accepted at once and fulfilled afterwards: follow it at `Location`.

        Send a new `Idempotency-Key` with each order. When no answer arrives, send the same request with the
        same key again: the order is placed once, and the answer is the same.
        """
        key = idempotency_key(request)
        body: Any = request.data
        if not isinstance(body, GoodBody):
            body = PlaceOrderSerializer(data=body)
            body.is_valid(raise_exception=True)
        try:
            answer = place(body.wanted(self.customer_id, key))
        except DataError:  # every field has been checked by now: what does not fit is the sum
            raise ValidationError({"lines": ["The total is more than the shop can count."]}) from None
        match answer:
            case Placed(order, again):
                told = receipt(order)
                headers = {"Location": told["links"]["self"]}
                return Response(told, status=202, headers=headers | (REPLAYED if again else {}))
            case KeyTaken():
                raise KeyReused
            case NotNow(wait):
                raise Backlog(wait)
            case NotPlaceable(line, field, reason):
                raise ValidationError({f"lines.{line}.{field}": [reason]})


class OneOrder(OrdersView, RetrieveAPIView):
    queryset = Order.objects.none()
    serializer_class = OrderDetailSerializer
    lookup_field = "uuid"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[Order]:
        return self.own().select_related("saga").prefetch_related("lines")

    @docs.detail
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of your orders: what was ordered, where it is, and what it waits for."""
        return super().get(request, *args, **kwargs)


class Timeline(NamedList, OrdersView, ListAPIView):
    queryset = TimelineEntry.objects.none()
    serializer_class = TimelineEntrySerializer
    pagination_class = TimelinePages
    filter_backends = []

    def get_queryset(self) -> QuerySet[TimelineEntry]:
        orders = self.own().select_related("saga").only("pk", "uuid", "saga__reason")
        self.order = get_object_or_404(orders, uuid=self.kwargs["id"])
        return TimelineEntry.objects.filter(order=self.order)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args:  # a page of entries; the OpenAPI page asks without any
            context = self.get_serializer_context()
            kwargs["context"] = {**context, "beside": beside(self.order, args[0])}
        return super().get_serializer(*args, **kwargs)

    @docs.timeline
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What happened to an order, in all services, as it happened.

        An entry may arrive late and stand before ones you have read: to follow an order, read it from the beginning.
        """
        return super().get(request, *args, **kwargs)


class RequestCancellation(OrdersView):
    takes_nothing = True

    @docs.requesting_cancellation
    def post(self, request: Request, id: UUID) -> Response:
        """Ask for an order to be cancelled.

        A 202 says that the wish is noted: should the parcels turn out to have left, the order is completed.
        """
        order = get_object_or_404(self.own().only("pk", "uuid"), uuid=id)
        answer = request_cancellation(order.uuid, by="customer")
        if answer is Cancellation.SHIPPED:
            raise TooLateToCancel(answer.value)
        done = answer is Cancellation.ALREADY_CANCELLED
        status = Order.Status.CANCELLED if done else Order.Status.CANCELLING
        body = {
            "id": order.uuid,
            "number": order.number,
            "status": status.value,
            "detail": answer.value,
            "links": links(order.uuid),
        }
        return Response(body, status=200 if done else 202)
