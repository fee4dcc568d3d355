"""The basket: what goes in, what does not, and what it says of it."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory.models import Product
from shop.web.store.shelf import MOST_LINES, MOST_UNITS
from shop.web.store.tests.buying import put, text_of


def basket(client: Client) -> str:
    return text_of(client.get("/basket/"))


def test_what_was_put_in_is_there_with_its_total_until_it_is_taken_out(guest: Client) -> None:
    assert put(guest, "MUG", 2).url == "/basket/"
    put(guest, "TEA/1")
    put(guest, "MUG")
    assert "GBP 25.50" in basket(guest)
    assert "Total GBP 31.40" in basket(guest)
    guest.post("/basket/change/", {"sku": "MUG", "quantity": 1})
    assert "Total GBP 14.40" in basket(guest)
    for sku in ("MUG", "TEA/1"):
        guest.post("/basket/change/", {"sku": sku, "quantity": 0})
    assert "There is nothing in it yet." in basket(guest)


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "x", "", "1000", "9" * 400])
def test_a_quantity_that_is_none_changes_nothing_and_is_told(guest: Client, quantity: str) -> None:
    put(guest, "MUG", quantity)
    assert f"Give a whole number from 1 to {MOST_UNITS}." in basket(guest)
    assert "There is nothing in it yet." in basket(guest)


@pytest.mark.parametrize("sku", ["OLD", "NONE", "", "x" * 41, "a\0b", "%00"])
def test_what_is_not_sold_does_not_go_in(guest: Client, sku: str) -> None:
    assert put(guest, sku).status_code == 302
    assert "There is nothing in it yet." in basket(guest)


def test_it_has_limits(guest: Client) -> None:
    Product.objects.bulk_create(Product(sku=f"P{n}", name="Thing", price_minor=1) for n in range(MOST_LINES))
    for number in range(MOST_LINES):
        put(guest, f"P{number}")
    put(guest, "MUG")
    assert "The basket is full" in basket(guest)
    for _ in range(2):
        put(guest, "P0", MOST_UNITS)
    assert guest.session["basket"]["P0"] == MOST_UNITS
    assert len(guest.session["basket"]) == MOST_LINES


def test_an_order_has_one_currency(guest: Client) -> None:
    put(guest, "MUG")
    put(guest, "EURO")
    assert "sold in GBP, this in EUR" in basket(guest)
    assert list(guest.session["basket"]) == ["MUG"]


def test_it_says_what_may_not_be_had(guest: Client) -> None:
    put(guest, "MUG", 4)
    put(guest, "GONE")
    assert "Only 3 left just now: with more your order will be cancelled." in basket(guest)
    assert "Sold out just now: take it out" in basket(guest)


def test_what_is_no_longer_sold_leaves_the_basket_and_is_told_once(guest: Client) -> None:
    put(guest, "MUG")
    Product.objects.filter(sku="MUG").update(on_sale=False)
    assert "MUG is no longer sold: it was taken out" in basket(guest)
    assert "is no longer sold" not in basket(guest)


@pytest.mark.parametrize("address", ["/basket/add/", "/basket/change/", "/account/logout/"])
def test_nothing_is_changed_by_a_link_or_from_another_site(guest: Client, address: str) -> None:
    assert guest.get(address).status_code == 405
    refused = Client(enforce_csrf_checks=True).post(address, {"sku": "MUG", "quantity": 1})
    assert refused.status_code == 403
    assert "Nothing was changed." in text_of(refused)
