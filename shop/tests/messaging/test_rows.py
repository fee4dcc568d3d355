"""Many rows in one statement: what is written, and what does not fit."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DataError, IntegrityError, transaction

from payments.models import Payment, new_key
from shop.base.databases import alias_of
from shop.messaging.rows import insert, select, update

pytestmark = pytest.mark.django_db(databases="__all__")


def payment(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "order_id": uuid4(),
        "number": f"S-{number}",
        "charge_key": new_key(),
        "refund_key": new_key(),
        **fields,
    }


def payments(count: int) -> list[UUID]:
    rows = [payment(number, state="pending") for number in range(count)]
    assert len(insert(Payment, rows, returning=("order_id",))) == count
    return [row["order_id"] for row in rows]


def test_a_field_that_is_not_named_gets_its_default() -> None:
    (order_id,) = payments(1)
    row = Payment.objects.get(pk=order_id)
    assert (row.state, row.amount_minor, row.reference, row.currency) == ("pending", 0, "", "")
    assert row.updated_at


def test_a_default_of_each_rows_own_must_be_named() -> None:
    with pytest.raises(TypeError, match="charge_key"):
        insert(Payment, [{"order_id": uuid4(), "number": "S-1"}])


def test_what_is_there_already_is_an_error_or_left_out() -> None:
    (known,) = payments(1)
    with pytest.raises(IntegrityError), transaction.atomic(using=alias_of("payments")):
        insert(Payment, [payment(order_id=known)])
    fresh = uuid4()
    rows = [payment(order_id=known), payment(order_id=fresh)]
    assert insert(Payment, rows, once=True, returning=("order_id",)) == [(fresh,)]


def test_the_named_fields_of_all_rows_are_written_and_no_others() -> None:
    ids = payments(3)
    before = Payment.objects.get(pk=ids[0]).updated_at
    update(
        Payment,
        [{"order_id": id, "state": Payment.State.CHARGED, "amount_minor": n} for n, id in enumerate(ids[:2])],
    )
    found = [Payment.objects.get(pk=id) for id in ids]
    assert [(row.state, row.amount_minor) for row in found] == [
        ("charged", 0),
        ("charged", 1),
        ("pending", 0),
    ]
    assert found[0].updated_at >= before


def test_only_rows_that_stood_as_they_must_are_written_and_told() -> None:
    ids = payments(2)
    update(Payment, [{"order_id": ids[0], "state": "void"}])
    rows = [{"order_id": id, "state": "charged"} for id in ids]
    assert update(Payment, rows, only={"state": "pending"}, returning=("order_id", "state")) == [
        (ids[1], "charged")
    ]
    assert Payment.objects.get(pk=ids[0]).state == "void"


def test_of_several_states_any_will_do() -> None:
    ids = payments(3)
    update(Payment, [{"order_id": ids[0], "state": "void"}, {"order_id": ids[1], "state": "charged"}])
    rows = [{"order_id": id, "state": "refunding"} for id in ids]
    moved = update(Payment, rows, only={"state": ("pending", "charged")}, returning=("order_id",))
    assert {order_id for (order_id,) in moved} == set(ids[1:])


def test_rows_are_found_by_any_word() -> None:
    words = ["a,b", 'say "no"', "back\\slash", "{}", "NULL", "", "Zoë"]
    insert(Payment, [payment(reference=word) for word in [*words, "another"]])
    found = select(Payment, ("reference",), "reference", words)
    assert sorted(word for (word,) in found) == sorted(words)


@pytest.mark.parametrize("text", ["a 'quoted' \"word\" \\ {with} %s, commas", "Zoë 🛒\nline two", ""])
def test_a_text_comes_back_as_it_was(text: str) -> None:
    (order_id,) = payments(1)
    update(Payment, [{"order_id": order_id, "reason": text}])
    assert select(Payment, ("reason",), "order_id", [order_id]) == [(text,)]


def test_a_text_too_long_for_its_column_is_an_error_and_not_cut() -> None:
    ids = payments(2)
    rows = [{"order_id": id, "reference": "x" * length} for id, length in zip(ids, (100, 101), strict=True)]
    with pytest.raises(DataError, match="too long"), transaction.atomic(using=alias_of("payments")):
        update(Payment, rows)
    assert select(Payment, ("reference",), "order_id", ids) == [("",), ("",)]


def test_nothing_asks_nothing() -> None:
    assert insert(Payment, []) == update(Payment, []) == select(Payment, ("state",), "order_id", []) == []
