"""Checkout: one order for one form however often it is sent, and each mistake told at its field, as the API tells it."""

from __future__ import annotations

import re
import time
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from inventory.models import Product
from orders.admission import Line, door
from orders.api.tests.client import nothing_moved
from orders.models import Order, Outbox
from shop.base.brakes.rates import Rate
from shop.base.countries import COUNTRIES
from shop.web.store.tests.buying import bought, form_of, put, send, text_of


def test_an_order_is_placed_as_the_form_says_and_the_basket_is_empty_then(guest: Client) -> None:
    put(guest, "MUG", 2)
    order = bought(guest, "TEA/1", style="choreography", postcode=" n1 ")
    assert (order.total, order.style, order.postcode) == ("GBP 22.90", "choreography", "n1")
    assert (order.email, order.payment_method) == ("ada@example.com", "pm_card_approved")
    assert [(line.sku, line.quantity) for line in order.lines.all()] == [("MUG", 2), ("TEA/1", 1)]
    assert Outbox.objects.filter(order_id=order.uuid).count() == 1
    assert "There is nothing in it yet." in text_of(guest.get("/basket/"))


def test_a_guest_is_one_account_that_nobody_can_log_in_to(guest: Client) -> None:
    first, second = bought(guest), bought(guest)
    assert first.customer_id == second.customer_id
    account = User.objects.get(pk=first.customer_id)
    assert not account.has_usable_password()
    assert not account.email
    assert bought(Client()).customer_id != first.customer_id


def test_the_same_form_sent_again_is_the_same_order(guest: Client) -> None:
    put(guest)
    form = form_of(guest)
    first, again = send(guest, form), send(guest, form)
    changed = send(guest, {**form, "city": "Leeds"})
    assert first.url == again.url == changed.url
    assert Order.objects.count() == 1
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_double_click_is_one_order(guest: Client) -> None:
    put(guest)
    form, both, found = form_of(guest), Barrier(2), []

    def click() -> None:
        client = Client()
        client.cookies.update(guest.cookies)
        both.wait()
        found.append(send(client, form).url)
        connections.close_all()

    clicks = [Thread(target=click) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert len(set(found)) == 1
    assert Order.objects.count() == User.objects.count() == 1


WRONG: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "Name is missing: please fill it in."),
    ({"name": "  "}, "Name is missing: please fill it in."),
    ({"city": "x" * 101}, "at most 100 characters"),
    ({"line1": "a\nb"}, "Control characters are not allowed."),
    ({"postcode": "a\u2028b"}, "Control characters are not allowed."),
    ({"email": "ada"}, "Enter a valid email address."),
    ({"country": "England"}, "Select a valid choice."),
    ({"payment_method": "pm_stolen"}, "Select a valid choice."),
    ({"style": "chaos"}, "Select a valid choice."),
    ({"key": "x"}, "send it once more"),
    ({"key": ""}, "send it once more"),
    ({"total": "GBP 0.01"}, "a price has changed"),
    ({"name": "a\0b"}, "Null characters are not allowed."),
]


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_what_is_wrong_is_told_and_nothing_is_ordered(
    guest: Client, changes: dict[str, str], told: str
) -> None:
    put(guest)
    form = form_of(guest)
    answer = send(guest, form | changes)
    assert answer.status_code == 422
    assert text_of(answer).count(told) == 1
    assert nothing_moved()
    good = answer.context["form"]
    again = {"key": good["key"].value(), "total": good["total"].value()}
    assert send(guest, form | again).status_code == 302


def test_an_error_is_tied_to_its_field(guest: Client) -> None:
    put(guest)
    page = send(guest, form_of(guest, email="ada")).content.decode()
    field = page[page.index('<input type="email"') :]
    assert 'aria-invalid="true"' in field[: field.index(">")]
    assert "id_email_error" in field[: field.index(">")]
    assert 'id="id_email_error"' in page


def test_there_is_nothing_to_check_out_without_a_basket(guest: Client) -> None:
    assert guest.get("/checkout/", follow=True).redirect_chain == [("/basket/", 302)]
    assert send(guest, {}).url == "/basket/"


def test_a_price_that_changed_meanwhile_is_told_before_anything_is_ordered(guest: Client) -> None:
    put(guest)
    form = form_of(guest)
    Product.objects.filter(sku="MUG").update(price_minor=950)
    answer = send(guest, form)
    assert "a price has changed" in text_of(answer)
    assert "Total GBP 9.50" in text_of(answer)
    assert nothing_moved()


def test_a_sum_that_cannot_be_counted_is_refused_in_a_sentence(guest: Client) -> None:
    put(guest, "GOLD", 9)
    assert "The total is more than the shop can count" in text_of(send(guest, form_of(guest)))
    assert nothing_moved()


def test_guests_of_one_network_may_not_flood_the_shop(guest: Client, settings: Any) -> None:
    settings.RATES = {**settings.RATES, "guests": Rate(1, 60)}
    bought(guest)
    put(guest)
    answer = send(guest, form_of(guest))
    assert answer.status_code == 429
    assert f"wait {answer['Retry-After']} s" in text_of(answer)
    assert Order.objects.count() == 1


def test_who_is_logged_in_may_not_flood_the_shop_either(settings: Any) -> None:
    settings.RATES = {**settings.RATES, "placing": Rate(1, 60)}
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    bought(client)
    put(client)
    assert send(client, form_of(client)).status_code == 429
    assert Order.objects.count() == 1


def test_while_the_door_is_shut_a_basket_waits_and_what_was_placed_is_shown(
    guest: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(guest)
    before = form_of(guest)
    order = send(guest, before).url
    put(guest)
    monkeypatch.setattr(door, "shut", lambda: Line(20, 20, 16.0))
    answer = send(guest, form_of(guest))
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "Your basket stays" in text_of(answer)
    assert send(guest, before).url == order
    assert Order.objects.count() == 1
    monkeypatch.undo()
    assert send(guest, form_of(guest)).status_code == 302


def test_test_cards_are_offered_only_where_they_are_cards_of_the_sandbox(
    guest: Client, settings: Any
) -> None:
    put(guest)
    assert "Declined card" in text_of(guest.get("/checkout/"))
    assert "REFUSE 1" in text_of(guest.get("/checkout/"))
    settings.PAYMENTS_GATEWAY, settings.CARRIER = "elsewhere.Gateway", "elsewhere.Carrier"
    page = guest.get("/checkout/")
    assert "Declined card" not in text_of(page)
    assert "REFUSE" not in text_of(page)
    assert '<input type="text" name="payment_method"' in page.content.decode()


def test_the_number_of_a_card_is_neither_taken_nor_shown_again(guest: Client, settings: Any) -> None:
    settings.PAYMENTS_GATEWAY = "elsewhere.Gateway"
    put(guest)
    answer = send(guest, form_of(guest, payment_method="4111-1111-1111-1111"))
    assert answer.status_code == 422
    assert "never a card's number" in text_of(answer).replace("&#x27;", "'")
    assert "4111" not in answer.content.decode()
    assert nothing_moved()


@pytest.mark.parametrize("field", ["name", "line1", "postcode", "city", "email"])
def test_the_number_of_a_card_is_not_shown_again_wherever_it_is_entered(guest: Client, field: str) -> None:
    put(guest)
    answer = send(guest, form_of(guest, **{field: "4111 1111 1111 1111"}))
    assert answer.status_code == 422
    told = "valid email" if field == "email" else "looks like a card's number: leave it out"
    assert told in text_of(answer).replace("&#x27;", "'")
    assert "1111" not in answer.content.decode()
    assert nothing_moved()


def test_a_parcel_may_go_wherever_the_api_sends_one(guest: Client) -> None:
    put(guest)
    shown = re.findall(r'<option value="([A-Z]{2})"', guest.get("/checkout/").content.decode())
    assert shown == list(COUNTRIES)
    assert bought(guest, country="LB").country == "LB"


def test_no_order_comes_from_another_site(guest: Client) -> None:
    put(guest)
    form = form_of(guest)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies.update(guest.cookies)
    assert send(strict, form).status_code == 403
    assert nothing_moved()


def test_a_very_long_payment_method_is_not_looked_through(guest: Client, settings: Any) -> None:
    """Eight forms of 500 kB held all threads for minutes, without login."""
    settings.PAYMENTS_GATEWAY = "elsewhere.Gateway"
    put(guest)
    began = time.process_time()
    answer = send(guest, form_of(guest, payment_method="1 " * 200_000))
    assert answer.status_code == 422
    assert "1 1 1" not in answer.content.decode()
    assert time.process_time() - began < 2
