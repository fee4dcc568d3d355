"""What orders answers, and in how many statements."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from orders.lookups import AmountDue, Contact, DeliveryAddress, Line, OrderLines
from orders.models import OrderLine
from shop.base.lookups import ask
from tests.statements import statements

ANSWERS: dict[type[Any], Any] = {
    OrderLines: OrderLines(
        currency="GBP",
        total_minor=2000,
        lines=[Line("A", "Product A", 2, 500), Line("B", "Product B", 2, 500)],
    ),
    AmountDue: AmountDue(amount_minor=2000, currency="GBP", method="pm_card_approved"),
    DeliveryAddress: DeliveryAddress("Ada Byron", "12 St James's Sq", "London", "N1", "GB"),
    Contact: Contact(name="Ada Byron", email="ada@example.invalid"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_each_order_gets_its_own_answer_in_one_statement_and_an_unknown_one_none(
    kind: type[Any], place_order: Any
) -> None:
    orders = [place_order(units=2).id for _ in range(3)]
    with statements() as sent:
        assert ask(kind, [*orders, uuid4()]) == dict.fromkeys(orders, ANSWERS[kind])
    assert len(sent) == 1, sent


def test_lines_come_in_the_sequence_they_were_ordered_in(place_order: Any) -> None:
    order_id = place_order().id
    OrderLine.objects.filter(sku="A").update(quantity=3)  # its row now lies behind the other's
    assert [line.sku for line in ask(OrderLines, [order_id])[order_id].lines] == ["A", "B"]
