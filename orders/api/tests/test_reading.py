"""The quick way to read a body takes nothing that the serializer refuses, or would read otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

from orders.api.bodies import read
from orders.api.serializers import PlaceOrderSerializer, ReceiptSerializer, receipt
from orders.api.tests.client import ADA, BODY, placed
from orders.api.tests.test_bodies import BAD_BODIES, bodies

# What a text or number of an order may be, good or nearly.
odd = st.sampled_from(
    [
        "",
        " ",
        " x",
        "x ",
        "x\u00a0",
        "\u2028",
        "a\nb",
        "a\tb",
        "\x1c",
        "\x7f",
        "\x85",
        "\0",
        "\U0001f375",
        "é",
    ]
)
texts = odd | st.text(max_size=12) | st.integers(98, 202).map("x".__mul__)
emails = (
    st.sampled_from(["ada@example.com", "a@b", "a@b.c", "ada@EXAMPLE.com ", "é@example.com", "a@ü.de"])
    | texts
)
numbers = st.sampled_from([0, 1, -1, 100_000, 100_001, 2**64, 1.0, True, "1", None])
near: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "lines": st.lists(
            st.fixed_dictionaries({"sku": st.sampled_from(["MUG", " MUG "]) | texts, "quantity": numbers}),
            max_size=3,
        ),
        "payment_method": texts,
        "email": emails,
        "address": st.fixed_dictionaries(
            dict.fromkeys(("name", "line1", "city", "postcode"), texts)
            | {"country": st.sampled_from(["GB", "gb", "GBR", "GB\n", "ÄB", ""])},
            optional={"floor": texts},
        ),
    },
    optional={
        "currency": st.sampled_from(["GBP", "JPY", "XXX", "gbp", None]) | texts,
        "style": st.sampled_from(["choreography", "orchestration", "jazz", None]) | texts,
    },
)


def good_but_for(**changes: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A good body in which some of these parts are replaced."""
    return st.fixed_dictionaries({}, optional=changes).map(lambda some: BODY | some)


address = good_but_for(
    address=st.fixed_dictionaries({}, optional=dict.fromkeys(ADA, texts)).map(lambda s: ADA | s)
)
one_off = good_but_for(payment_method=texts, email=emails, currency=texts, style=texts)


@examples(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(body=near | bodies | address | one_off)
def test_what_is_read_quickly_is_what_the_serializer_reads(body: object) -> None:
    data = json.dumps(body).encode()
    if quick := read(data):
        slow = PlaceOrderSerializer(data=json.loads(data))
        assert slow.is_valid(), slow.errors
        assert quick.wanted(7, "k") == slow.wanted(7, "k")


def test_a_usual_body_is_read_quickly() -> None:
    for body in (
        BODY,
        {name: value for name, value in BODY.items() if name != "style"},
        BODY | {"currency": "JPY"},
    ):
        assert read(json.dumps(body).encode())
        assert read(json.dumps(body, indent=2, ensure_ascii=False).encode())


@pytest.mark.parametrize("body", [case[1] for case in BAD_BODIES], ids=[case[0] for case in BAD_BODIES])
def test_a_bad_body_is_left_to_the_serializer(body: object) -> None:
    known = (
        "no such product",
        "total past a bigint",
        "not sold in this currency",
    )  # which only the catalogue knows
    ids = {json.dumps(case[1]): case[0] for case in BAD_BODIES}
    assert (read(json.dumps(body).encode()) is not None) == (ids[json.dumps(body)] in known)


@pytest.mark.parametrize(
    "name", ["payment_method", "email", "sku", *(name for name in ADA if name != "country")]
)
def test_a_text_may_be_as_long_as_the_serializer_allows_and_no_longer(name: str) -> None:
    fields: Any = PlaceOrderSerializer().fields
    fields = {**fields, **fields["address"].fields, **fields["lines"].child.fields}
    longest, end = fields[name].max_length, "@example.com" if name == "email" else ""
    for length, taken in ((longest, True), (longest + 1, False)):
        changed = {name: "x" * (length - len(end)) + end}
        if name in ADA:
            changed = {"address": ADA | changed}
        elif name == "sku":
            changed = {"lines": [{"quantity": 1} | changed]}
        body = BODY | changed
        assert (read(json.dumps(body).encode()) is not None) == taken
        assert PlaceOrderSerializer(data=body).is_valid() == taken


def test_a_receipt_is_as_it_is_documented(ada: APIClient) -> None:
    order = placed(ada)
    order.refresh_from_db()
    assert receipt(order) == ReceiptSerializer(order).data
