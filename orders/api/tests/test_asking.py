"""What a client's developer stumbles over first."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from orders.api.tests.client import URL, placed
from shop.tests.documents import problem


def test_an_id_in_capitals_is_the_same_id(ada: APIClient) -> None:
    """As RFC 9562 has it, and as Swift writes them."""
    order = placed(ada)
    there = f"{URL}{str(order.uuid).upper()}/"
    assert ada.get(there).json()["number"] == order.number
    assert ada.get(f"{there}timeline/").status_code == 200
    assert ada.post(f"{there}cancel/").status_code == 202


def test_who_sends_no_token_is_told_how_to(db: None) -> None:
    for headers in ({}, {"Authorization": "Bearer 1234"}):
        refused = APIClient().get(URL, headers=headers)
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Token")
        assert "`Authorization: Token …`" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("1969-01-01T00:00:00Z", "A time from the years 1970 to 8999."),
        ("9999-12-31T23:59:59Z", "A time from the years 1970 to 8999."),
        (
            "2026-11-05T10:15:00 00:00",
            "A time such as 2026-11-05T10:15:00Z; in an address a + is written as %2B.",
        ),
    ],
)
def test_a_time_that_is_none_is_refused_in_a_sentence(ada: APIClient, moment: str, told: str) -> None:
    """What was said of the first had been taken for a card's number."""
    refused = ada.get(URL, {"placed_at_after": moment})
    assert problem(refused, 400)["errors"] == [{"field": "placed_at_after", "detail": told}]
