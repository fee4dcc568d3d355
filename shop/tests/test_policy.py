"""Every answer tells the browser what its page may do, and whether it may be kept."""

from __future__ import annotations

import pytest
from django.test import Client

from shop.base.policy import HEADER

STRICT = (
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; object-src 'none'"
)

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize(
    "address", ["/", "/livez", "/admin/login/", "/static/shop/live.js", "/api/v1/orders/", "/nowhere"]
)
def test_nothing_is_loaded_from_elsewhere_and_nothing_in_a_page_is_run(client: Client, address: str) -> None:
    answer = client.get(address)
    answer.close()  # a file
    assert answer[HEADER] == STRICT


def test_only_swaggers_page_has_styles_of_its_own_and_still_no_script(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page[HEADER] == f"{STRICT}; style-src 'self' 'unsafe-inline'"
    assert "<script>" not in page.content.decode()


def test_what_is_told_of_orders_is_kept_by_nobody(client: Client) -> None:
    assert client.get("/api/v1/orders/")["Cache-Control"] == "no-store"
    assert "no-store" in client.get("/admin/orders/order/")["Cache-Control"]
    assert client.get("/api/v1/orders/")["Referrer-Policy"] == "same-origin"
