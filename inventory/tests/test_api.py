"""The catalogue over REST."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory.models import Product, Stock, Warehouse
from shop.base.databases import alias_of
from shop.tests.documents import fields

URL = "/api/v1/products/"


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    north, south = (Warehouse.objects.create(code=code, name=code) for code in ("NORTH", "SOUTH"))
    for index, (sku, name) in enumerate([("MUG", "Red mug"), ("POT", "Pot 100%"), ("TEA", "Earl_Grey")]):
        product = Product.objects.create(sku=sku, name=name, price_minor=850 + index)
        Stock.objects.create(product=product, warehouse=north, on_hand=10, reserved=3)
        Stock.objects.create(product=product, warehouse=south, on_hand=5)
    Product.objects.create(sku="NEW", name="Never stocked", price_minor=1200, currency="JPY")
    Product.objects.create(sku="OLD", name="Sold no more", price_minor=1, on_sale=False)


def found(**asked: str) -> list[str]:
    return [product["sku"] for product in APIClient().get(URL, asked).json()["results"]]


def test_anybody_sees_what_is_on_sale_with_price_and_free_stock() -> None:
    answer = APIClient().get(URL)
    assert answer.status_code == 200
    assert answer.json()["results"][:2] == [
        {
            "sku": "MUG",
            "name": "Red mug",
            "price_minor": 850,
            "currency": "GBP",
            "price": "GBP 8.50",
            "available": 12,
        },
        {
            "sku": "NEW",
            "name": "Never stocked",
            "price_minor": 1200,
            "currency": "JPY",
            "price": "JPY 1,200",
            "available": 0,
        },
    ]
    assert found() == ["MUG", "NEW", "POT", "TEA"]


@pytest.mark.parametrize(
    ("search", "skus"),
    [
        ("mu", ["MUG"]),
        ("RED", ["MUG"]),
        ("po", ["POT"]),
        ("stocked", ["NEW"]),
        ("%", ["POT"]),
        ("_", ["TEA"]),
        ("'; --", []),
        ("OLD", []),
    ],
)
def test_products_are_found_by_a_part_of_sku_or_name(search: str, skus: list[str]) -> None:
    assert found(search=search) == skus


def test_pages_follow_each_other_and_keep_the_search() -> None:
    seen: list[str] = []
    address = f"{URL}?page_size=1&search=e"
    while address:
        page = APIClient().get(address).json()
        seen += [product["sku"] for product in page["results"]]
        address = page["next"]
    assert seen == found(search="e") == ["MUG", "NEW", "TEA"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("search=%00", "search"),
        ("search=", "search"),
        ("search=%20", "search"),
        ("sku=", "sku"),
        ("seach=mug", "seach"),
        ("search=" + "x" * 101, "search"),
        ("page_size=100000", "page_size"),
        ("cursor=cD0lMDA=", "cursor"),
        ("cursor=%C3%A9", "cursor"),
    ],
)
def test_a_bad_question_is_refused_naming_the_parameter(query: str, field: str) -> None:
    answer = APIClient().get(f"{URL}?{query}")
    assert set(fields(answer)) == {field}


def test_a_page_is_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1, using=alias_of("inventory")):
        assert len(found()) == 4


def test_nobody_writes_the_catalogue_here() -> None:
    answer = APIClient().post(URL, {"sku": "X"}, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert not Product.objects.filter(sku="X").exists()
