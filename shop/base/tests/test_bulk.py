"""Many rows in one statement: what is written, and what does not fit."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import DataError, transaction

from payments.models import Payment
from shop.base.bulk import save_all
from shop.base.databases import alias_of

pytestmark = pytest.mark.django_db(databases="__all__")


def payments(count: int) -> list[Payment]:
    return [Payment.objects.create(order_id=uuid4(), number=f"S-{number}") for number in range(count)]


def test_the_named_fields_of_all_rows_are_written_and_no_others() -> None:
    rows = payments(3)
    before = rows[0].updated_at
    for number, row in enumerate(rows):
        row.state, row.amount_minor, row.reference = Payment.State.CHARGED, number, f"ch_{number}"
    save_all(rows[:2], ["state", "amount_minor"])
    found = [Payment.objects.get(pk=row.pk) for row in rows]
    assert [(row.state, row.amount_minor, row.reference) for row in found] == [
        ("charged", 0, ""),
        ("charged", 1, ""),
        ("new", 0, ""),
    ]
    assert found[0].updated_at > before


def test_a_text_too_long_for_its_column_is_an_error_and_not_cut() -> None:
    rows = payments(2)
    rows[0].reference, rows[1].reference = "x" * 100, "x" * 101
    with pytest.raises(DataError, match="too long"), transaction.atomic(using=alias_of("payments")):
        save_all(rows, ["reference"])
    assert list(Payment.objects.values_list("reference", flat=True)) == ["", ""]
    save_all(rows[:1], ["reference"])
    assert Payment.objects.get(pk=rows[0].pk).reference == "x" * 100
