"""Invoices become orders, through the same door as the API; cancellation invoices cancel what they name."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from django.contrib.auth.models import User

from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine
from orders.placement import KeyTaken, NotPlaceable, Placed, PlaceOrder, WantedLine, place_orders
from orders.services import request_cancellation
from shop.tools.invoices.catalogue import CURRENCY
from shop.tools.invoices.cleaning import Invoice, NoOrder
from shop.tools.invoices.survey import key_of
from shop.tools.invoices.tally import Named, Tally

USERNAME = "invoices"
SET_SIZE = 50  # orders in one transaction
PAYMENT_METHOD = "pm_card_approved"


def importing_user() -> User:
    """The customer of all imported orders; nobody can log in as it."""
    user, created = User.objects.get_or_create(username=USERNAME)
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


class Placing:
    """Takes clean invoices one after the other, in the sequence of the files, and counts what becomes of them."""

    def __init__(self, customer_id: int, style: str, tally: Tally) -> None:
        self._customer_id = customer_id
        self._style = style
        self._tally = tally
        self._waiting: dict[str, PlaceOrder] = {}
        self._cancelled_whole: set[int] = set()

    def take_all(self, invoices: Iterable[Invoice], progress: Callable[[Tally], None]) -> None:
        for invoice in invoices:
            self._take(invoice)
            progress(self._tally)
        self._place()
        progress(self._tally)

    def _take(self, invoice: Invoice) -> None:
        self._tally.invoices += 1
        self._tally.lines += invoice.lines
        self._tally.dirt += invoice.dirt
        if invoice.cancels:
            self._place()  # what it names may be waiting
            self._tally.named[self._cancel(invoice)] += 1
        elif invoice.no_order:
            self._tally.not_placed[invoice.no_order.value] += 1
        else:
            request = request_for(invoice, self._customer_id, self._style)
            if request.idempotency_key in self._waiting:
                self._place()
            self._waiting[request.idempotency_key] = request
            if len(self._waiting) >= SET_SIZE:
                self._place()

    def _place(self) -> None:
        requests, self._waiting = list(self._waiting.values()), {}
        if not requests:
            return
        for answer in place_orders(requests):
            match answer:
                case Placed(order=order, again=False):
                    self._tally.placed.append(order.pk)
                case Placed(order=order):
                    self._tally.again.append(order.pk)
                case KeyTaken():
                    self._tally.not_placed["imported before with other content"] += 1
                case NotPlaceable(reason=reason):
                    self._tally.not_placed[reason] += 1

    def _cancel(self, invoice: Invoice) -> Named:
        if not invoice.items:
            return Named.NO_GOODS
        order, whole = self._order_named_by(invoice)
        if order is None:
            return Named.UNMATCHED
        if not whole:
            self._tally.returns.append(f"{invoice.number} returns part of order {order.number}.")
            return Named.PART
        self._cancelled_whole.add(order.pk)
        self._tally.asked.append(order.pk)
        request_cancellation(order.uuid, by="customer")
        return Named.REQUESTED

    def _order_named_by(self, invoice: Invoice) -> tuple[Order | None, bool]:
        """The customer's last order before the cancellation that has all it gives back, and whether that is all of it.

        An order with exactly these goods goes before one with more; one already named whole is not named again.
        """
        if not invoice.customer or invoice.no_order is NoOrder.TWO_CUSTOMERS:
            return None, False
        orders = {
            order.pk: order
            for order in Order.objects.filter(
                customer_id=self._customer_id, style=self._style, email=email_of(invoice)
            )
            if _invoice_number(order) < int(invoice.number[1:]) and order.pk not in self._cancelled_whole
        }
        ordered: dict[int, Counter[str]] = defaultdict(Counter)
        for pk, sku, quantity in OrderLine.objects.filter(order__in=orders).values_list(
            "order", "sku", "quantity"
        ):
            ordered[pk][sku] += quantity
        fitting = [pk for pk, units in ordered.items() if invoice.units <= units]
        if not fitting:
            return None, False
        best = max(fitting, key=lambda pk: (ordered[pk] == invoice.units, _invoice_number(orders[pk])))
        return orders[best], ordered[best] == invoice.units


def request_for(invoice: Invoice, customer_id: int, style: str) -> PlaceOrder:
    """The order an invoice makes: the same request whenever it is imported, so that a second time is recognised.

    Names and addresses are made up from the customer's number.
    """
    customer = int(invoice.customer or 0)
    return PlaceOrder(
        customer_id=customer_id,
        idempotency_key=key_of(invoice, style),
        lines=[WantedLine(item.sku, item.quantity, item.price_minor) for item in invoice.items],
        currency=CURRENCY,
        payment_method=PAYMENT_METHOD,
        email=email_of(invoice),
        address=DeliveryAddress(
            name=f"Customer {invoice.customer}" if invoice.customer else "Guest",
            line1=f"{customer % 200 + 1} Example Street",
            city="Example Town",
            postcode=f"X{customer % 100_000:05d}",
            country=invoice.country,
        ),
        style=style,
    )


def email_of(invoice: Invoice) -> str:
    """An address that can never be delivered to (RFC 2606)."""
    if invoice.customer:
        return f"customer-{invoice.customer}@example.invalid"
    return f"guest-{invoice.number}@example.invalid"


def _invoice_number(order: Order) -> int:
    found = re.fullmatch(r"invoice-([0-9]+)-.*", order.idempotency_key)
    return int(found[1]) if found else 0
