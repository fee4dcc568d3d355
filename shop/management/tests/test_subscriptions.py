"""``manage.py subscriptions``: the map of who hears what is the one the code follows."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from shop.messaging.subscriptions import every


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("subscriptions", *arguments, stdout=out)
    return out.getvalue()


def test_the_table_has_a_line_for_every_subscription() -> None:
    head, rule, *lines = told().splitlines()
    assert re.split(r"  +", head) == [
        "event",
        "published by",
        "heard by",
        "receiver",
        "style",
        "reacts within",
    ]
    assert set(rule) == {"-", " "}
    rows = [line.split("  ") for line in lines]
    assert len(rows) == len(list(every()))
    shown = {tuple(cell.strip() for cell in row if cell.strip()) for row in rows}
    assert ("OrderCreated", "orders", "inventory", "inventory.reserve_stock", "choreography", "15 s") in shown
    assert ("OrderCreated", "orders", "orders", "orders.note_progress", "both", "10 s") in shown
    assert (
        "InventoryReserved",
        "inventory",
        "payments",
        "payments.take_payment",
        "choreography",
        "30 s",
    ) in shown
    assert any(row[:2] == ("StepFailed", "any service") for row in shown)


def test_the_mermaid_text_is_a_flowchart_per_style_with_its_arrows_alone() -> None:
    charts = re.findall(r"### (\w+)\n\n```mermaid\n(.*?)```", told("--format", "mermaid"), re.S)
    assert [name.lower() for name, _ in charts] == list(settings.STYLES)
    for name, chart in charts:
        first, *lines = chart.splitlines()
        assert first == "flowchart LR"
        nodes = {found[1] for line in lines if (found := re.fullmatch(r'    (\w+)\["[\w ]+"\]', line))}
        arrows = [re.fullmatch(r'    (\w+) -- "([\w<>/]+)" --> (\w+)', line) for line in lines[len(nodes) :]]
        drawn = {
            (event, arrow[3])
            for arrow in arrows
            if arrow and {arrow[1], arrow[3]} <= nodes
            for event in arrow[2].split("<br>")[:-1]
        }
        assert all(arrows)
        assert drawn == {(sub.event.__name__, sub.service) for sub in every() if sub.wants(name.lower())}


def test_another_format_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        told("--format", "dot")
