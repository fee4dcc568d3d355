"""The shop window: what is shown of the products, and that thousands of them make no page slow."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from inventory.models import Product
from shop.web.store.pictures import KINDS, TONES, picture
from shop.web.store.tests.buying import put, text_of
from tests.statements import statements


def test_the_window_shows_what_is_on_sale_with_its_price_and_what_is_left(guest: Client) -> None:
    page = guest.get("/")
    text = text_of(page)
    assert text.index("Tea &lt;b&gt;") < text.index("Sold out Sold out")  # though its SKU comes later
    assert "Mug, red Only 3 left GBP 8.50 Add" in text
    assert "Sold out Sold out GBP 1.00" in text
    assert "Not sold any more" not in text
    assert "<b>strong</b>" not in page.content.decode()
    assert 'href="/api/docs/"' in page.content.decode()
    assert 'href="/admin/"' in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"


def test_a_product_has_a_page_whatever_its_sku_looks_like(guest: Client) -> None:
    assert "In stock" in text_of(guest.get("/products/TEA/1/"))
    assert "Add to basket" not in text_of(guest.get("/products/GONE/"))
    for sku in ("OLD", "NONE", "a%00b", "x" * 2000):
        assert guest.get(f"/products/{sku}/").status_code == 404


def test_search_finds_parts_of_names_and_says_when_it_finds_nothing(guest: Client) -> None:
    assert "Mug, red" in text_of(guest.get("/?q=mUG"))
    assert "Nothing on sale is called so" in text_of(guest.get("/?q=%25"))
    for words in ("x" * 101, "a%00b"):
        assert "This can't be searched for" in text_of(guest.get(f"/?q={words}"))


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "1" * 400, ""])
def test_a_page_that_is_none_is_the_nearest_one(guest: Client, number: str) -> None:
    assert guest.get("/", {"page": number}).status_code == 200


def test_thousands_of_products_are_shown_a_page_at_a_time_and_at_once(guest: Client) -> None:
    Product.objects.bulk_create(
        Product(sku=f"{number:05}", name=f"Bird ornament {number}", price_minor=100)
        for number in range(5_000)
    )
    guest.get("/")
    began = time.perf_counter()
    with statements() as sent:
        page = guest.get("/?q=bird&page=200")
    took = time.perf_counter() - began
    assert page.content.decode().count('<li>\n    <div class="picture') == 24
    assert 'href="?q=bird&amp;page=201"' in page.content.decode()
    assert len(sent) <= 3
    assert took < 0.3


def test_pictures_are_the_same_each_time_and_of_what_the_name_says() -> None:
    assert picture("MUG-RED", "Mug, red") == picture("MUG-RED", "Mug, red")
    assert (picture("MUG-RED", "Mug, red").kind, picture("MUG-RED", "Mug, red").tone) == ("mug", "red")
    assert picture("85123A", "WHITE HANGING HEART T-LIGHT HOLDER").kind == "candle"
    assert picture("22752", "SET 7 BABUSHKA NESTING BOXES").kind == "tin"
    strange = picture("?", "»¿…Ähre")
    assert (strange.kind, strange.letter) == ("", "Ä")
    assert strange.tone in TONES


def test_every_kind_has_a_drawing(guest: Client) -> None:
    drawn = b"".join(guest.get("/static/store/pictures.svg").streaming_content).decode()  # type: ignore[attr-defined]
    for kind, _ in KINDS:
        assert f'<symbol id="{kind}"' in drawn


def test_what_is_added_from_a_tile_needs_no_new_page(guest: Client) -> None:
    part = put(guest, "MUG", 2, **{"HX-Request": "true"}).content.decode()
    assert 'Basket <span class="num">(2)</span>' in part
    assert "Mug, red is in your basket." in part
    assert "<html" not in part


def test_a_fault_is_told_without_a_word_of_the_insides(
    guest: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("shop.web.store.catalogue.found", broken)
    guest.raise_request_exception = False
    answer = guest.get("/?q=mug")
    assert answer.status_code == 500
    assert "nothing is ordered or charged twice" in text_of(answer)
    assert "secret" not in text_of(answer)
