"""A parcel's label: what it says, that nothing leaves the page, and who may have it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics

from orders.lookups import DeliveryAddress
from shipping.labels import BOLD, INNER, PLAIN, ParcelLabel, draw, printable, wrapped
from shipping.models import Parcel, Shipment

ADDRESS = DeliveryAddress(
    name="Ada Byron", line1="12 St James's Sq", city="London", postcode="SW1Y", country="GB"
)
A6 = "297.6378 419.5276"


def label(**values: Any) -> ParcelLabel:
    given = {
        "address": ADDRESS,
        "order_number": "S-100042",
        "warehouse": "NORTH",
        "tracking": "SB000123456789",
    }
    return ParcelLabel(**{**given, **values})


def texts(pdf: bytes) -> str:
    """What an uncompressed PDF writes. The font's codes are ASCII where the characters are."""
    parts = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", pdf)
    return "\n".join(re.sub(rb"\\(.)", rb"\1", part).decode("latin-1") for part in parts)


def test_a_label_is_one_page_of_a6_with_address_order_warehouse_tracking_and_bars() -> None:
    pdf = draw(label(), compressed=False)
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 1
    assert f"/MediaBox [ 0 0 {A6} ]".encode() in pdf
    written = texts(pdf)
    for expected in (
        "Ada Byron",
        "12 St James's Sq",
        "SW1Y London",
        "GB",
        "S-100042",
        "NORTH",
        "SB000123456789",
    ):
        assert expected in written
    assert bars(pdf) > 20


def bars(pdf: bytes) -> int:
    return len(re.findall(rb" re f", pdf))


def test_the_same_label_is_the_same_file() -> None:
    assert draw(label()) == draw(label())


def test_a_void_label_says_so_and_no_scanner_reads_it() -> None:
    pdf = draw(label(void=True), compressed=False)
    assert "VOID" in texts(pdf)
    assert bars(pdf) == 0


def test_a_tracking_number_no_barcode_can_say_is_written_only() -> None:
    pdf = draw(label(tracking="żółw-1"), compressed=False)
    assert bars(pdf) == 0


def test_letters_the_font_lacks_are_replaced_where_one_can_see_it() -> None:
    assert printable("Zoë Śmith, Łódź", PLAIN) == "Zoë Smith, Łódz"
    assert printable("王小明\u202e\x00 a\nb", BOLD) == "??? a b"


def test_the_longest_values_stay_on_the_page() -> None:
    longest = DeliveryAddress(
        name="W" * 100, line1="W" * 200, city="W" * 100, postcode="W" * 20, country="GB"
    )
    pdf = draw(label(address=longest, warehouse="W" * 20, tracking="W" * 60), compressed=False)
    assert pdf.count(b"/Type /Page\n") == 1
    places = re.findall(rb"1 0 0 1 (-?[\d.]+) (-?[\d.]+) Tm", pdf)
    assert len(places) > 10
    assert all(0 < float(x) < 297 and 0 < float(y) < 419 for x, y in places)
    heights = [float(y) for _, y in places]
    assert len(heights) == len(set(heights))  # no line on top of another


@given(st.text(max_size=200))
def test_any_text_is_wrapped_within_the_width_and_keeps_its_characters(text: str) -> None:
    lines = wrapped(text, PLAIN, 11, INNER)
    assert all(pdfmetrics.stringWidth(line, PLAIN, 11) <= INNER for line in lines)
    assert "".join("".join(lines).split()) == "".join(printable(text, PLAIN).split())


@given(st.text(max_size=100), st.text(max_size=60))
def test_no_text_breaks_a_label(name: str, tracking: str) -> None:
    address = DeliveryAddress(name=name, line1=name, city=name, postcode="", country="GB")
    assert draw(label(address=address, tracking=tracking)).startswith(b"%PDF-")


# --- In the admin ---------------------------------------------------------------------------------------------------


@pytest.fixture
def parcel(place_order: Any) -> Parcel:
    ref = place_order()
    shipment = Shipment.objects.create(order_id=ref.id, number=ref.number, state="planned")
    return Parcel.objects.create(shipment=shipment, warehouse="NORTH", state="labelled", tracking="SB1")


def staff(*, superuser: bool) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("ada", is_staff=True, is_superuser=superuser))
    return client


def addresses(parcel: Parcel) -> list[str]:
    return [
        reverse("admin:shipping_parcel_label", args=[parcel.pk]),
        reverse("admin:shipping_parcel_label_of", args=[parcel.shipment_id, parcel.warehouse]),
    ]


class TestInTheAdmin:
    def test_staff_download_the_label(self, parcel: Parcel) -> None:
        client = staff(superuser=True)
        for address in addresses(parcel):
            answer = client.get(address)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == "application/pdf"
            assert answer.headers["Content-Disposition"] == (
                f'inline; filename="{parcel.shipment.number.lower()}-north.pdf"'
            )
            assert "no-store" in answer.headers["Cache-Control"]
            assert answer.content.startswith(b"%PDF-")

    def test_the_shipments_page_links_to_it(self, parcel: Parcel) -> None:
        page = reverse("admin:shipping_shipment_change", args=[parcel.shipment_id])
        assert addresses(parcel)[0] in staff(superuser=True).get(page).content.decode()

    def test_a_parcel_without_a_tracking_number_has_no_label(self, parcel: Parcel) -> None:
        Parcel.objects.update(tracking="")
        client = staff(superuser=True)
        for address in addresses(parcel):
            answer = client.get(address, follow=True)
            assert "has no label" in answer.content.decode()
            assert answer.headers["Content-Type"].startswith("text/html")

    def test_a_parcel_that_is_not_there_is_not_found(self, parcel: Parcel) -> None:
        client = staff(superuser=True)
        assert client.get(reverse("admin:shipping_parcel_label", args=[parcel.pk + 1])).status_code == 404
        nowhere = reverse("admin:shipping_parcel_label_of", args=[parcel.shipment_id, "NOWHERE"])
        assert client.get(nowhere).status_code == 404

    def test_who_may_not_see_parcels_gets_no_address(self, parcel: Parcel) -> None:
        client = staff(superuser=False)
        for address in addresses(parcel):
            assert client.get(address).status_code == 403
            assert Client().get(address).status_code == 302
