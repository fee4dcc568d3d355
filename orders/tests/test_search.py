"""Whatever a customer has in hand leads to the order: in orders' list, and in every other that belongs to an order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from orders import search
from orders.models import Order
from orders.tests.pages import address, parked, text
from payments.models import Payment
from shipping.models import Parcel, Shipment
from shop.base.admin import lists
from shop.messaging.tables import inbox_of, outbox_of

NAME, EMAIL = "Zoë-Marie O'Brien", "Zoe.Brien@Example.invalid"


@pytest.fixture
def hers(place_order: Any) -> Order:
    """Among others that are not."""
    place_order()
    ref = place_order()
    Order.objects.filter(uuid=ref.id).update(name=NAME, email=EMAIL)
    place_order()
    shipment = Shipment.objects.create(order_id=ref.id, number=ref.number, state="handed_over")
    Parcel.objects.create(shipment=shipment, warehouse="NORTH", state="void", tracking="SB000012345678")
    return Order.objects.get(uuid=ref.id)


def found(term: str) -> list[Order]:
    return list(search.found(Order.objects.all(), term))


@pytest.mark.parametrize(
    "term",
    [
        *(
            "O'Brien",
            "o'br",
            "zoë",
            "ZOË",
            "Marie",
            "zoë-marie",
            "O'Brien, Zoë",
            "marie\u00a0o'brien",
        ),
        *("zoe.brien@example.invalid", "ZOE.BRIEN@EXAMPLE.INVALID", "zoe.brien@ex", "zoe.brien"),
        *("SB000012345678", "sb000012345678"),
    ],
)
def test_a_customer_is_found_by_whatever_is_at_hand(hers: Order, term: str) -> None:
    assert found(term) == [hers]


def test_an_order_is_found_by_number_and_id_and_nothing_else_then(hers: Order) -> None:
    for term in (hers.number, hers.number.lower(), str(100_000 + hers.pk), str(hers.uuid), hers.uuid.hex):
        assert found(term) == [hers]


@pytest.mark.parametrize(
    "term",
    [
        *(
            "nobody",
            "Zoë Smith",
            "brien.zoe",
            "",
            "   ",
            "'",
            "\\",
            "''\\'",
            "a'b\\':* | !x",
            "&",
            "(",
            "!zoë",
            ":*",
            "%",
        ),
        *(
            "_",
            "<->",
            "zo\x00",
            "\x00",
            "x" * 201,
            "S-",
            "S-999999999999999999999",
            "²",
            "😀",
            "-",
            "...",
            "{",
            "\u2028",
        ),
    ],
)
def test_what_means_no_order_finds_none(hers: Order, term: str) -> None:
    assert found(term) == []


def test_words_are_looked_up_in_an_index(hers: Order) -> None:
    """And the same words stand in it: else it would not be taken."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = search.found(Order.objects.all(), "brien").explain()
    assert "order_words" in plan


def test_every_list_of_rows_of_an_order_finds_them_the_same_way(
    staff: Callable[..., Client], hers: Order
) -> None:
    Payment.objects.create(order_id=hers.uuid, number=hers.number, state="charged", reference="ch_77")
    parked("payments", hers)
    client = staff()
    for model in (
        "payments.payment",
        "shipping.shipment",
        "shipping.parcel",
        "payments.inbox",
        "orders.outbox",
    ):
        for term in (hers.number, str(hers.uuid), "o'brien zoë", EMAIL, "SB000012345678"):
            page = client.get(address(model, "changelist"), {"q": term})
            assert [
                str(row.number if hasattr(row, "number") else row.shipment.number) for row in rows(page)
            ] == [hers.number], (model, term)
        assert rows(client.get(address(model, "changelist"), {"q": "S-100999"})) == []
    assert len(rows(client.get(address("payments.payment", "changelist"), {"q": "ch_77"}))) == 1


def rows(answer: Any) -> list[Any]:
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_an_inbox_shows_what_it_has_handled_of_an_order(staff: Callable[..., Client], hers: Order) -> None:
    event = outbox_of("orders")._default_manager.get(order_id=hers.uuid)
    inbox_of("inventory")._default_manager.create(
        event_id=event.event_id,
        receiver="r",
        type=event.type,
        order_id=hers.uuid,
        number=hers.number,
        state="done",
    )
    (row,) = rows(staff().get(address("inventory.inbox", "changelist"), {"q": hers.number}))
    assert row.event_id == event.event_id


@pytest.mark.parametrize("term", ["zo\x00", "x" * 5000, "'; DROP", "nobody"])
def test_what_finds_nothing_says_so(staff: Callable[..., Client], hers: Order, term: str) -> None:
    client = staff()
    for model in (
        "orders.order",
        "payments.payment",
        "inventory.product",
        "notifications.mail",
        "orders.deadletter",
    ):
        page = text(client.get(address(model, "changelist"), {"q": term}))
        assert "Nothing is found for" in page
        assert "Show all" in page


@pytest.mark.parametrize(
    "query",
    ["status__exact=%00", "attention=%00", "saga__state__in=%00", "p=99999", "p=x", "o=99.x.-1", "nosuch=1"],
)
def test_a_filter_that_somebody_made_up_is_no_error(
    staff: Callable[..., Client], hers: Order, query: str
) -> None:
    assert staff().get(f"{address('orders.order', 'changelist')}?{query}", follow=True).status_code == 200


def test_a_list_counts_as_far_as_anybody_reads(
    staff: Callable[..., Client], hers: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED", 2)
    page = text(staff().get(address("orders.order", "changelist")))
    assert "more than 2 orders: to see others, search or filter" in " ".join(page.split())


def test_an_empty_list_says_what_would_be_there(staff: Callable[..., Client]) -> None:
    client = staff()
    assert "Orders stand here from when they are placed." in text(
        client.get(address("orders.order", "changelist"))
    )
    filtered = text(client.get(address("payments.inbox", "changelist"), {"state": "parked"}))
    assert "Nothing is like that now." in filtered
    assert "Clear all filters" in filtered
