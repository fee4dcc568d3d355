"""Catalogue and stock in the admin: a price is typed as people write it, stock comes in and is never typed over."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from inventory.forms import MOST_AT_ONCE, MOST_ON_HAND
from inventory.models import Product, Receipt, Stock, Warehouse

RECEIVE = "admin:inventory_stock_receive"


@pytest.fixture
def stock(db: None) -> Stock:
    product = Product.objects.create(sku="A", name="Mug", price_minor=500)
    warehouse = Warehouse.objects.create(code="NORTH", name="North")
    return Stock.objects.create(product=product, warehouse=warehouse, on_hand=3, reserved=1)


@pytest.fixture
def client(stock: Stock) -> Client:
    return logged_in(is_superuser=True)


def logged_in(**values: Any) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("ada", is_staff=True, **values))
    return client


def edit(client: Client, product: Product, **values: str) -> Any:
    data = {"name": "Mug", "price": "5.00", "on_sale": "on", **values}
    return client.post(reverse("admin:inventory_product_change", args=[product.pk]), data)


def test_a_price_is_typed_with_its_decimals(client: Client, stock: Stock) -> None:
    page = client.get(reverse("admin:inventory_product_change", args=[stock.product_id])).content.decode()
    assert 'value="5.00"' in page
    assert edit(client, stock.product, price="12.5").status_code == 302
    stock.product.refresh_from_db()
    assert stock.product.price_minor == 1250


def test_the_sku_and_the_currency_stay_what_they_were(client: Client, stock: Stock) -> None:
    assert edit(client, stock.product, sku="B", currency="JPY", name="Cup").status_code == 302
    stock.product.refresh_from_db()
    assert (stock.product.sku, stock.product.currency, stock.product.name) == ("A", "GBP", "Cup")


@pytest.mark.parametrize("price", ["1.234", "-1", "", "NaN", "Infinity", "1e30"])
def test_no_other_price_is_taken(client: Client, stock: Stock, price: str) -> None:
    answer = edit(client, stock.product, price=price, name="Changed")
    assert answer.status_code == 200
    stock.product.refresh_from_db()
    assert (stock.product.price_minor, stock.product.name) == (500, "Mug")


def test_a_product_is_added_in_a_currency_with_its_decimals(client: Client) -> None:
    data = {"sku": "B", "name": "Tea", "price": "700", "currency": "JPY", "on_sale": "on"}
    assert client.post(reverse("admin:inventory_product_add"), data).status_code == 302
    assert Product.objects.get(sku="B").price_minor == 700
    data |= {"sku": "C", "price": "7.5"}
    assert client.post(reverse("admin:inventory_product_add"), data).status_code == 200
    assert not Product.objects.filter(sku="C").exists()


def test_a_warehouse_keeps_its_code_and_nothing_is_deleted(client: Client, stock: Stock) -> None:
    page = reverse("admin:inventory_warehouse_change", args=[stock.warehouse_id])
    assert client.post(page, {"code": "SOUTH", "name": "Far north"}).status_code == 302
    stock.warehouse.refresh_from_db()
    assert (stock.warehouse.code, stock.warehouse.name) == ("NORTH", "Far north")
    for kind, key in (("warehouse", stock.warehouse_id), ("product", stock.product_id)):
        address = reverse(f"admin:inventory_{kind}_delete", args=[key])
        assert client.post(address, {"post": "yes"}).status_code == 403


def test_stock_comes_in_through_the_service_and_is_explained_by_a_receipt(
    client: Client, stock: Stock
) -> None:
    data = {"product": stock.product_id, "warehouse": stock.warehouse_id, "quantity": "7", "note": "DN 4"}
    answer = client.post(reverse(RECEIVE), data, follow=True)
    assert "now 10 are on hand" in answer.content.decode()
    stock.refresh_from_db()
    assert (stock.on_hand, stock.reserved) == (10, 1)
    assert [(receipt.quantity, receipt.note) for receipt in Receipt.objects.all()] == [(7, "DN 4")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("quantity", value) for value in ("0", "-1", "1.5", "", "x", str(MOST_AT_ONCE + 1), "9" * 30)),
        *(("product", value) for value in ("0", "", "x")),
        *(("warehouse", value) for value in ("0", "", "x")),
        ("note", "x" * 101),
    ],
)
def test_what_makes_no_delivery_moves_nothing(client: Client, stock: Stock, field: str, value: str) -> None:
    data = {"product": stock.product_id, "warehouse": stock.warehouse_id, "quantity": "7", field: value}
    answer = client.post(reverse(RECEIVE), data)
    assert "Nothing was taken in" in answer.content.decode()
    stock.refresh_from_db()
    assert (stock.on_hand, Receipt.objects.count()) == (3, 0)


def test_no_shelf_overflows(client: Client, stock: Stock) -> None:
    Stock.objects.update(on_hand=MOST_ON_HAND)
    data = {"product": stock.product_id, "warehouse": stock.warehouse_id, "quantity": "1"}
    assert "There would be more than" in client.post(reverse(RECEIVE), data).content.decode()
    assert Receipt.objects.count() == 0


def test_who_may_only_look_takes_nothing_in(stock: Stock) -> None:
    client = logged_in()
    user = get_user_model().objects.get()
    user.user_permissions.add(Permission.objects.get(codename="view_stock"))
    page = client.get(reverse("admin:inventory_stock_changelist")).content.decode()
    assert "Receive stock" not in page
    data = {"product": stock.product_id, "warehouse": stock.warehouse_id, "quantity": "7"}
    assert client.get(reverse(RECEIVE)).status_code == 403
    assert client.post(reverse(RECEIVE), data).status_code == 403
    stock.refresh_from_db()
    assert (stock.on_hand, Receipt.objects.count()) == (3, 0)
