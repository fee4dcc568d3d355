"""A customer's orders: who sees them, what is read of them at each turn, and cancelling."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from inventory.events import InventoryRejected, InventoryReleased, InventoryReserved, StockDispatched
from notifications.events import CancellationNoticeSent, ConfirmationSent
from orders.events import CancellationRequested, OrderCancelled, OrderCompleted
from orders.models import Order, Outbox, Saga
from orders.progress import note_progress
from orders.services import cancel_order, complete_order, request_cancellation
from payments.events import PaymentFailed, PaymentProcessed, PaymentRefunded
from payments.models import Payment
from shipping.events import (
    CancellationRefused,
    OrderShipped,
    ParcelsLabelled,
    ShippingFailed,
    ShippingStopped,
)
from shipping.models import Parcel, Shipment
from shop.base.tracking import tracking_link
from shop.messaging.events import StepFailed
from shop.web.store.tests.buying import bought, post, put, text_of
from tests.statements import statements

FACTS: dict[Any, dict[str, Any]] = {
    InventoryReserved: {"warehouses": ["NORTH"]},
    InventoryRejected: {"reason": "out of stock", "skus": ["MUG"]},
    PaymentProcessed: {"amount_minor": 850, "currency": "GBP"},
    PaymentFailed: {"code": "card_declined", "reason": "The card was declined."},
    PaymentRefunded: {"amount_minor": 850, "currency": "GBP"},
    ParcelsLabelled: {"tracking": {"NORTH": "SB1"}},
    OrderShipped: {"tracking": ["SB1"]},
    ShippingFailed: {"reason": "address not served"},
    CancellationRequested: {"by": "customer"},
    StepFailed: {"operation": "payments.take_payment", "error": "secret insides"},
}
UNDONE = (InventoryReleased, OrderCancelled, CancellationNoticeSent)


def note(order: Order, *events: Any) -> None:
    """What the services have told by now; and what payments and orders write beside it."""
    for event in events:
        if event is PaymentRefunded:
            Payment.objects.create(
                order_id=order.uuid,
                number=order.number,
                state="refunded",
                amount_minor=850,
                refunded_minor=850,
            )
        if event in (OrderCancelled, OrderCompleted):
            (cancel_order if event is OrderCancelled else complete_order)([order.ref])
        note_progress([event(ref=order.ref, **FACTS.get(event, {}))])


def read(client: Client, order: Order) -> str:
    answer = client.get(f"/orders/{order.uuid}/")
    assert answer.status_code == 200
    return text_of(answer)


def link_of(order: Order) -> str:
    return "/track/" + tracking_link(order.uuid).partition("/track/")[2]


def titles(client: Client, order: Order) -> list[tuple[str, str]]:
    return [(stage.state, stage.title) for stage in client.get(f"/orders/{order.uuid}/").context["stages"]]


# --- Who sees it -----------------------------------------------------------------------------------------------------


def test_an_order_is_seen_by_its_customer_and_by_whoever_has_the_link_and_nobody_else(guest: Client) -> None:
    order, stranger = bought(guest), Client()
    assert order.number in text_of(guest.get("/orders/"))
    assert order.number not in text_of(stranger.get("/orders/"))
    assert "12 St James&#x27;s Sq" in read(guest, order)
    for what in ("", "cancel/", "stream/"):
        assert guest.get(f"/orders/{order.uuid}/{what}").status_code == 200
        assert stranger.get(f"/orders/{order.uuid}/{what}").status_code == 404
        assert stranger.get(f"{link_of(order)}{what}").status_code == 200
        assert stranger.get(f"{link_of(order)[:-2]}/{what}").status_code == 404
    assert stranger.post(f"/orders/{order.uuid}/cancel/").status_code == 404
    assert stranger.post(f"/orders/{order.uuid}/again/").status_code == 404
    assert guest.get(f"/orders/{uuid4()}/").status_code == 404


def test_whoever_has_only_the_link_does_not_read_where_the_customer_lives(guest: Client) -> None:
    order = bought(guest)
    page = text_of(Client().get(link_of(order)))
    assert order.number in page
    for private in ("Ada", "James", "London", "example.com"):
        assert private not in page


def test_staff_who_may_see_orders_see_beside_it_what_the_admin_says(guest: Client) -> None:
    order, staff = bought(guest), Client()
    user = User.objects.create_user("ada", is_staff=True)
    staff.force_login(user)
    assert staff.get(f"/orders/{order.uuid}/").status_code == 404
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    page = staff.get(f"/orders/{order.uuid}/")
    assert "For staff" in text_of(page)
    assert f'href="/admin/orders/order/{order.pk}/change/"' in page.content.decode()
    assert "Cancel the order" not in text_of(page)
    admin = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert f'href="/orders/{order.uuid}/"' in admin
    assert staff.post(f"/orders/{order.uuid}/cancel/").status_code == 404
    assert "waits for inventory" not in read(guest, order)


# --- What is read of it ----------------------------------------------------------------------------------------------


def test_the_way_of_an_order_is_read_stage_by_stage(guest: Client) -> None:
    order = bought(guest)
    assert titles(guest, order) == [
        ("done", "Placed"), ("now", "Reserved"), ("next", "Paid"), ("next", "Packed"), ("next", "On its way"),
        ("next", "Mail sent"), ("next", "Completed"),
    ]  # fmt: skip
    assert "Under way Your products are being set aside. You don&#x27;t have to do anything." in read(
        guest, order
    )
    note(order, InventoryReserved, PaymentProcessed)
    Shipment.objects.create(order_id=order.uuid, number=order.number, state="labelled")
    Parcel.objects.create(shipment_id=order.uuid, warehouse="NORTH", tracking="SB1", state="labelled")
    note(order, ParcelsLabelled)
    assert "GBP 8.50 was charged to your Visa test card." in read(guest, order)
    assert "Parcel 1: SB1" in read(guest, order)
    note(order, OrderShipped)
    assert "Cancel the order" not in read(guest, order)
    note(order, ConfirmationSent)  # in choreography this may come before the stock has left
    assert titles(guest, order)[-2:] == [("done", "Mail sent"), ("now", "Completed")]
    note(order, StockDispatched, OrderCompleted)
    assert "Completed Your parcel is on the way to you. There is nothing left to do." in read(guest, order)
    assert {state for state, _ in titles(guest, order)} == {"done"}
    assert "sse-connect" not in guest.get(f"/orders/{order.uuid}/").content.decode()


REFUSED: list[tuple[list[Any], str, list[str]]] = [
    (
        [InventoryRejected, OrderCancelled, CancellationNoticeSent],
        "Not enough in stock: Mug, red. Nothing was charged. You can order less of it, or do without it.",
        ["Placed", "Sold out", "Cancelled", "Mail sent"],
    ),
    (
        [InventoryReserved, PaymentFailed, *UNDONE],
        "The card was declined. Nothing was charged. You can order again and pay with another card.",
        ["Placed", "Reserved", "Payment refused", "Products put back", "Cancelled", "Mail sent"],
    ),
    (
        [InventoryReserved, PaymentProcessed, ShippingFailed, PaymentRefunded, *UNDONE],
        "The carrier refused it: address not served. GBP 8.50 was given back. You can order to another address.",
        ["Placed", "Reserved", "Paid", "Delivery refused", "Money given back", "Products put back", "Cancelled",
         "Mail sent"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("events", "told", "way"), REFUSED)
def test_why_an_order_was_cancelled_is_told_and_only_what_was_done_is_undone(
    guest: Client, events: list[Any], told: str, way: list[str]
) -> None:
    order = bought(guest)
    note(order, *events)
    assert f"Cancelled {told}" in read(guest, order)
    assert [title for _, title in titles(guest, order)] == way
    assert post(guest, f"/orders/{order.uuid}/again/").url == "/basket/"
    assert guest.session["basket"] == {"MUG": 1}


def test_what_was_done_before_a_cancellation_was_heard_of_stands_behind_it(guest: Client) -> None:
    order = bought(guest)
    note(order, InventoryReserved, CancellationRequested, PaymentProcessed, ShippingStopped, PaymentRefunded)
    assert [title for _, title in titles(guest, order)][:5] == [
        "Placed",
        "Reserved",
        "Cancellation asked for",
        "Paid",
        "Money given back",
    ]


def test_what_goes_wrong_inside_is_the_shops_own_affair(guest: Client) -> None:
    order = bought(guest)
    note(order, InventoryReserved, StepFailed)
    assert "Takes longer" in read(guest, order)
    assert "tried again by itself; nothing is done twice. You don&#x27;t have to do anything." in read(
        guest, order
    )
    Saga.objects.update(state="parked")
    assert "Needs a look" in read(guest, order)
    assert "a person of the shop looks after it" in read(guest, order)
    assert "secret" not in read(guest, order)


def test_the_list_names_the_first_products_of_an_order(guest: Client) -> None:
    for sku in ("MUG", "TEA/1"):
        put(guest, sku)
    bought(guest, "GONE")
    assert "1 x Mug, red, 1 x Tea &lt;b&gt;strong&lt;/b&gt; and more" in text_of(guest.get("/orders/"))


def test_the_list_says_in_two_words_how_each_order_is(guest: Client) -> None:
    order = bought(guest)
    assert f"{order.number} Under way 1 x Mug, red" in text_of(guest.get("/orders/"))
    request_cancellation(order.uuid, by="customer")
    assert "Being cancelled" in text_of(guest.get("/orders/"))


def test_a_page_takes_few_statements(guest: Client) -> None:
    order = bought(guest)
    for address, most in ((f"/orders/{order.uuid}/", 10), ("/orders/", 5), ("/basket/", 2)):
        with statements() as sent:
            guest.get(address)
        assert len(sent) <= most, (address, sent)


# --- Cancelling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("linked", [False, True])
def test_an_order_is_cancelled_after_a_question(guest: Client, linked: bool) -> None:
    order = bought(guest)
    client, address = (Client(), link_of(order)) if linked else (guest, f"/orders/{order.uuid}/")
    assert f"Cancel {order.number}?" in text_of(client.get(f"{address}cancel/"))
    assert Outbox.objects.count() == 1
    page = client.post(f"{address}cancel/", follow=True)
    assert "Should your parcels turn out to have left already, the order goes on." in text_of(page)
    assert not page.context["messages"]  # it would stay when the order has moved on
    assert "Cancel the order" not in text_of(page)
    note(order, CancellationRequested, ShippingStopped, *UNDONE)
    assert "Cancelled You cancelled it. Nothing was charged." in text_of(client.get(address))
    assert "Money given back" not in text_of(client.get(address))


def test_when_it_is_too_late_to_cancel_that_is_told(guest: Client) -> None:
    order = bought(guest)
    request_cancellation(order.uuid, by="customer")
    note(order, InventoryReserved, PaymentProcessed, ParcelsLabelled, OrderShipped, CancellationRefused)
    assert "You asked to cancel it, but your parcels could not be held back any more." in read(guest, order)
    assert "It is too late for that" in text_of(guest.get(f"/orders/{order.uuid}/cancel/"))
    page = guest.post(f"/orders/{order.uuid}/cancel/", follow=True)
    assert "it can only be returned" in text_of(page)


def test_what_is_put_into_the_basket_again_does_not_mix_currencies(guest: Client) -> None:
    order = bought(guest)
    put(guest, "EURO")
    page = guest.post(f"/orders/{order.uuid}/again/", follow=True)
    assert "sold in EUR, this in GBP" in text_of(page)
    assert list(guest.session["basket"]) == ["EURO"]
