"""Real invoices are dirty: what becomes of each kind of dirt."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.base.countries import COUNTRIES
from shop.tools.invoices.cleaning import Dirt, Invoice, NoOrder, clean, pence
from shop.tools.invoices.countries import ISO_CODES
from shop.tools.invoices.reading import RawInvoice, RawLine
from shop.tools.invoices.tests.files import DATE, UK


def line(**cells: str) -> RawLine:
    good = {
        "code": "85123A",
        "description": "WHITE HOLDER",
        "quantity": "6",
        "date": DATE,
        "price": "2.55",
        "customer": "17850.0",
        "country": UK,
    }
    return RawLine(**{**good, **cells})


def cleaned(*lines: RawLine, number: str = "536365") -> Invoice:
    return clean(RawInvoice(number, list(lines)))


def test_a_clean_invoice_is_taken_as_it_stands() -> None:
    invoice = cleaned(line(), line(code="71053", price="3.39", quantity="2"))
    assert [(i.sku, i.quantity, i.price_minor) for i in invoice.items] == [
        ("85123A", 6, 255),
        ("71053", 2, 339),
    ]
    assert (invoice.customer, invoice.country, invoice.total_minor) == ("17850", "GB", 2208)
    assert (+invoice.dirt, invoice.no_order, invoice.cancels) == (Counter(), None, False)


SKIPPED = [
    ({"code": code}, Dirt.NO_GOODS)
    for code in (
        "POST",
        "D",
        "M",
        "m",
        "DOT",
        "C2",
        "BANK CHARGES",
        "bank  charges",
        "AMAZONFEE",
        "gift_0001_20",
    )
] + [
    ({"code": ""}, Dirt.BAD_CODE),
    ({"code": "A\x00B"}, Dirt.BAD_CODE),
    ({"code": "9" * 41}, Dirt.BAD_CODE),
    ({"quantity": "six"}, Dirt.BAD_NUMBER),
    ({"quantity": ""}, Dirt.BAD_NUMBER),
    ({"quantity": "1.5"}, Dirt.BAD_NUMBER),
    ({"quantity": "1e3"}, Dirt.BAD_NUMBER),
    ({"quantity": "٣"}, Dirt.BAD_NUMBER),
    ({"price": "NaN"}, Dirt.BAD_NUMBER),
    ({"price": "1,000.00"}, Dirt.BAD_NUMBER),
    ({"price": "£2"}, Dirt.BAD_NUMBER),
    ({"quantity": "100001"}, Dirt.TOO_LARGE),
    ({"price": "1000000.01"}, Dirt.TOO_LARGE),
    ({"quantity": "0"}, Dirt.NO_UNITS),
    ({"quantity": "-10"}, Dirt.WRITE_OFF),
    ({"price": "-11062.06"}, Dirt.NEGATIVE_PRICE),
]


@pytest.mark.parametrize(("cells", "reason"), SKIPPED)
def test_a_line_that_orders_nothing_is_skipped_and_its_neighbour_kept(
    cells: dict[str, str], reason: Dirt
) -> None:
    invoice = cleaned(line(**cells), line())
    assert [item.sku for item in invoice.items] == ["85123A"]
    assert +invoice.dirt == Counter({reason: 1})
    assert invoice.no_order is None


@pytest.mark.parametrize(("cells", "reason"), SKIPPED)
def test_an_invoice_of_nothing_else_is_no_order(cells: dict[str, str], reason: Dirt) -> None:
    invoice = cleaned(line(**cells))
    assert (invoice.items, invoice.no_order, +invoice.dirt) == (
        [],
        NoOrder.NOTHING_LEFT,
        Counter({reason: 1}),
    )


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"description": "  "}, Dirt.NO_DESCRIPTION),
        ({"customer": ""}, Dirt.NO_CUSTOMER),
        ({"customer": "somebody"}, Dirt.NO_CUSTOMER),
        ({"date": "yesterday"}, Dirt.BAD_DATE),
        ({"price": "2.555"}, Dirt.ROUNDED),
    ],
)
def test_a_line_with_something_odd_is_kept_and_counted(cells: dict[str, str], reason: Dirt) -> None:
    invoice = cleaned(line(**cells))
    assert (len(invoice.items), invoice.no_order, +invoice.dirt) == (1, None, Counter({reason: 1}))


def test_both_ways_to_write_the_date_are_fine() -> None:
    assert not +cleaned(line(date="12/1/2010 8:26")).dirt


def test_a_price_of_zero_is_a_gift_beside_priced_lines() -> None:
    invoice = cleaned(line(price="0.0", code="A"), line())
    assert ([item.price_minor for item in invoice.items], +invoice.dirt) == (
        [0, 255],
        Counter({Dirt.GIFT: 1}),
    )


def test_prices_of_zero_alone_are_a_stock_adjustment() -> None:
    invoice = cleaned(line(price="0.0", description="", customer=""))
    assert (invoice.no_order, +invoice.dirt) == (NoOrder.NOTHING_LEFT, Counter({Dirt.NOTHING_TO_PAY: 1}))


def test_the_same_product_at_the_same_price_again_is_counted_and_left_to_placement() -> None:
    invoice = cleaned(line(), line(), line(price="2.00"))
    assert (len(invoice.items), +invoice.dirt) == (3, Counter({Dirt.SAME_AGAIN: 1}))


@pytest.mark.parametrize("number", ["", "A563185", "12-34", "C", "CC1", "\uff11"])
def test_an_unknown_kind_of_number_is_no_invoice(number: str) -> None:
    invoice = cleaned(line(), number=number)
    assert (invoice.no_order, +invoice.dirt) == (NoOrder.NOTHING_LEFT, Counter({Dirt.BAD_INVOICE_NO: 1}))


def test_each_country_of_the_data_set_is_one_the_shop_sends_to() -> None:
    assert set(ISO_CODES.values()) <= COUNTRIES.keys()


@pytest.mark.parametrize("country", ["Unspecified", "European Community", "", "Atlantis"])
def test_a_country_we_cannot_send_to_is_no_order(country: str) -> None:
    assert cleaned(line(country=country)).no_order is NoOrder.UNKNOWN_COUNTRY


@pytest.mark.parametrize(
    "customer", ["4111 1111 1111 1111", "4111111111111111", "400000000002", "400000000002.0"]
)
def test_the_number_of_a_card_is_no_customers(customer: str) -> None:
    """One of twelve digits would stand in a name and a mail address, all others would pass for a guest."""
    assert cleaned(line(customer=customer)).no_order is NoOrder.CARD_NUMBER


@pytest.mark.parametrize("other", [{"customer": "1"}, {"country": "France"}])
def test_an_invoice_of_two_customers_is_no_order(other: dict[str, str]) -> None:
    assert cleaned(line(), line(**other)).no_order is NoOrder.TWO_CUSTOMERS


def test_a_total_beyond_what_the_provider_takes_is_no_order() -> None:
    assert cleaned(line(quantity="100000", price="1000000")).no_order is NoOrder.TOO_EXPENSIVE


def test_a_cancellation_gives_back_what_it_names() -> None:
    invoice = cleaned(
        line(quantity="-2"), line(quantity="-3"), line(code="D", quantity="-1"), number="C536379"
    )
    assert (invoice.cancels, invoice.units, invoice.no_order) == (True, Counter({"85123A": 5}), None)
    assert +invoice.dirt == Counter({Dirt.NO_GOODS: 1})


def test_a_sale_does_not_belong_in_a_cancellation() -> None:
    invoice = cleaned(line(quantity="2"), number="C536379")
    assert (invoice.no_order, +invoice.dirt) == (
        NoOrder.NOTHING_LEFT,
        Counter({Dirt.SALE_IN_CANCELLATION: 1}),
    )


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert cleaned(line(code="85123a")).items[0].sku == "85123A"


@pytest.mark.parametrize(
    ("pounds", "expected"),
    [
        ("0.425", (43, True)),
        ("0.424", (42, True)),
        ("0.42", (42, False)),
        ("0.4250000", (43, True)),
        ("7", (700, False)),
    ],
)
def test_pounds_become_pence_half_up(pounds: str, expected: tuple[int, bool]) -> None:
    assert pence(pounds) == expected


@given(st.decimals(min_value=-1_000_000, max_value=1_000_000, places=3))
def test_no_price_is_off_by_more_than_half_a_penny(pounds: Decimal) -> None:
    minor, rounded = pence(f"{pounds:f}")
    assert minor == (pounds * 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert rounded == (pounds * 100 != minor)


@given(st.builds(RawLine, *[st.text(max_size=12)] * 7), st.text(max_size=8))
def test_no_line_whatever_it_says_breaks_the_cleaning(raw: RawLine, number: str) -> None:
    invoice = clean(RawInvoice(number, [raw, line()]))
    assert invoice.lines == 2
    assert all(item.quantity > 0 and item.price_minor >= 0 and item.sku for item in invoice.items)


words = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


@given(st.lists(st.builds(line, code=words, description=words, quantity=st.integers().map(str)), max_size=5))
def test_every_line_is_either_ordered_or_counted_as_skipped(lines: list[RawLine]) -> None:
    invoice = cleaned(*lines)
    skipped = sum(count for dirt, count in invoice.dirt.items() if dirt.treatment == "skipped")
    assert len(invoice.items) + skipped == len(lines)
