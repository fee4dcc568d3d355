"""``manage.py subscriptions``: the map of who hears what is the one the code follows."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from orders.edges import edges
from shop.messaging.commands import published
from shop.messaging.subscriptions import every


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("subscriptions", *arguments, stdout=out)
    return out.getvalue()


def test_the_table_has_a_line_for_every_subscription() -> None:
    events, commands = told().split("\n\n")
    head, rule, *lines = events.splitlines()
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
    told_of = {re.split(r"  +", line)[0]: line for line in commands.splitlines()[2:]}
    assert set(told_of) == set(published)
    assert "PaymentFailed, PaymentProcessed" in told_of["payments.take_payment"]


def test_the_same_in_json_names_each_value() -> None:
    rows = json.loads(told("--format", "json"))
    assert len(rows) == len(list(every())) + len(published)
    assert rows[0].keys() == {"event", "published by", "heard by", "receiver", "style", "reacts within"}
    assert rows[-1]["sent by"] == "orders"


def test_what_goes_over_each_edge_just_now(db: None, place_order: Any) -> None:
    place_order(style="choreography")
    rows = json.loads(told("--live", "--format", "json"))
    created = {row["style"]: row for row in rows if row["what"] == "OrderCreated"}
    assert {style: row["a minute"] for style, row in created.items()} == {
        "choreography": "0.2",
        "orchestration": "0.0",
    }
    assert {row["parked"] for row in rows} == {"0"}


def test_the_mermaid_text_is_a_flowchart_per_style_with_its_arrows_alone() -> None:
    charts = re.findall(r"### (\w+)\n\n```mermaid\n(.*?)```", told("--format", "mermaid"), re.S)
    assert [name.lower() for name, _ in charts] == list(settings.STYLES)
    for name, chart in charts:
        first, *lines = chart.splitlines()
        assert first == "flowchart LR"
        nodes = {found[1] for line in lines if (found := re.fullmatch(r'    (\w+)\["[\w ]+"\]', line))}
        thick = [line for line in lines if "==>" in line]
        arrows = [
            re.fullmatch(r'    (\w+) -- "([\w<>/]+)" --> (\w+)', line)
            for line in lines[len(nodes) :]
            if line not in thick
        ]
        drawn = {
            (event, arrow[3])
            for arrow in arrows
            if arrow and {arrow[1], arrow[3]} <= nodes
            for event in arrow[2].split("<br>")[:-1]
        }
        assert all(arrows)
        commands = {edge.name for edge in edges(name.lower()) if edge.move}
        assert {command for line in thick for command in line.split('"')[1].split("<br>")} == commands
        assert drawn == {(sub.event.__name__, sub.service) for sub in every() if sub.wants(name.lower())}


def test_another_format_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        told("--format", "dot")
