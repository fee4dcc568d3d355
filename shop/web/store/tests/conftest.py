"""What is on sale, and a customer nobody knows yet."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from inventory.models import Product, Warehouse
from inventory.services import Delivery, receive_stock


@pytest.fixture(autouse=True)
def catalogue(db: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()  # attempts to log in are counted there
    Warehouse.objects.create(code="NORTH", name="Leeds")
    Product.objects.create(sku="MUG", name="Mug, red", price_minor=850)
    Product.objects.create(sku="TEA/1", name="Tea <b>strong</b>", price_minor=590)
    Product.objects.create(sku="GONE", name="Sold out", price_minor=100)
    Product.objects.create(sku="OLD", name="Not sold any more", price_minor=100, on_sale=False)
    Product.objects.create(sku="EURO", name="From abroad", price_minor=100, currency="EUR")
    Product.objects.create(sku="GOLD", name="Gold", price_minor=2**62)
    receive_stock(
        [Delivery("MUG", "NORTH", 3), Delivery("TEA/1", "NORTH", 50), Delivery("GOLD", "NORTH", 50)]
    )


@pytest.fixture
def guest() -> Client:
    return Client(headers={"User-Agent": "a test"})
