"""What is on sale, and a customer who is logged in."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from inventory.models import Product
from orders.api.tests.client import client_of


@pytest.fixture
def catalogue(db: None) -> None:
    Product.objects.create(sku="MUG", name="Mug", price_minor=850)
    Product.objects.create(sku="TEA", name="Tea", price_minor=590)
    Product.objects.create(sku="GOLD", name="Gold", price_minor=2**62)


@pytest.fixture
def ada(catalogue: None) -> APIClient:
    return client_of("ada")
