"""Of two events that an order waits for the last takes it on, whichever it is, and though both come at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections, transaction

from inventory.events import StockDispatched
from notifications.events import ConfirmationSent
from orders.joining import joined
from shop.base.databases import alias_of
from shop.messaging.events import Event, Ref

BOTH = (StockDispatched, ConfirmationSent)


@pytest.mark.parametrize("first", BOTH)
def test_whichever_comes_last_takes_it_on_and_takes_it_on_again_when_it_comes_again(
    place_order: Any, first: type[Event]
) -> None:
    ref = place_order()
    (last,) = {*BOTH} - {first}
    for _ in range(2):
        assert joined([first(ref=ref)], *BOTH) == []
    for _ in range(2):
        assert joined(events := [last(ref=ref)], *BOTH) == events


def test_each_order_of_a_set_is_joined_by_itself(place_order: Any) -> None:
    whole, half = place_order(), place_order()
    joined([StockDispatched(ref=whole)], *BOTH)
    events = [ConfirmationSent(ref=whole), ConfirmationSent(ref=half)]
    assert joined(events, *BOTH) == events[:1]
    assert joined([], *BOTH) == []


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_of_two_that_come_at_the_same_moment_one_is_the_last(place_order: Any) -> None:
    ref: Ref = place_order()
    found: list[list[Event]] = []

    def other() -> None:
        found.append(joined([ConfirmationSent(ref=ref)], *BOTH))
        connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic(using=alias_of("orders")):
        assert joined([StockDispatched(ref=ref)], *BOTH) == []
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()  # it waits for the row
    thread.join(10)
    assert [type(event) for (event,) in found] == [ConfirmationSent]
