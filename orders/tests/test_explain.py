"""An order explained in a terminal."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order, Saga, TimelineEntry


def explained(*arguments: str) -> str:
    out = StringIO()
    call_command("explain", *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def stuck(order: Order) -> Order:
    created = uuid4()
    rows: list[tuple[int, str, str, str, str, Any]] = [
        (2, "orders", "OrderCreated", "forward", "placed: 2 lines", None),
        (20, "inventory", "StepFailed", "trouble", "inventory.reserve_stock failed: no answer", created),
        (30, "inventory", "StepFailed", "trouble", "inventory.reserve_stock failed: no answer", created),
    ]
    for ms, service, event, kind, text, cause in rows:
        TimelineEntry.objects.create(
            order=order,
            event_id=created if ms == 2 else uuid4(),
            at=order.placed_at + timedelta(milliseconds=ms),
            service=service,
            event=event,
            kind=kind,
            text=text,
            cause=cause,
        )
    Saga.objects.filter(order=order).update(
        state="parked", attempt=8, last_error="inventory.reserve_stock: no answer"
    )
    return order


@pytest.mark.parametrize("named", ["number", "id"])
def test_it_says_what_the_page_says(stuck: Order, named: str) -> None:
    told = explained(stuck.number if named == "number" else str(stuck.uuid))
    assert told.startswith(f"{stuck.number}  parked  {stuck.total}  {stuck.style}")
    assert "It is parked and waits for a person: reserve stock failed: no answer." in told
    assert "+2 ms  orders         placed: 2 lines, by customer\n" in told
    assert (
        "under way  inventory      reserve stock · 2 attempts: inventory.reserve_stock failed: no answer "
        "(goes on when a person has resumed it)  [because of OrderCreated]" in told
    )
    assert "expected  payments       paid" in told
    first, second, ruler = told.splitlines()[-3:]  # a lane for each service that has begun
    assert (first[:14], first.count("█")) == ("orders".ljust(14), 1)
    assert (second[:14], second[-1]) == ("inventory".ljust(14), "█")
    assert ruler.strip().endswith("· waiting  █ at work  ▒ at a provider")


def test_a_machine_reads_the_same_and_nothing_of_the_customer(stuck: Order) -> None:
    text = explained(stuck.number, "--json")
    told = json.loads(text)
    assert (told["number"], told["state"]) == (stuck.number, "parked")
    kinds = [step["kind"] for step in told["steps"]]
    assert kinds[:3] == ["done", "late", "expected"]
    assert len(told["steps"][1]["failures"]) == 2
    assert [step["by"] for step in told["steps"][:2]] == ["customer", "system"]
    assert told["steps"][1]["due"] == "goes on when a person has resumed it"
    assert told["cancellation"] is None
    assert stuck.email not in text
    assert stuck.name not in text


@pytest.mark.parametrize(
    "wanted", ["S-99", "S-199999", "nonsense", "", "7b0b7e5c-5a1e-4f43-9d2e-0e4bc5f2a1b7"]
)
def test_an_order_that_is_not_there_is_one_sentence(db: None, wanted: str) -> None:
    with pytest.raises(CommandError, match=r"^There is no order .*S-100042"):
        explained(wanted)
