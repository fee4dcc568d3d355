"""The catalogue as a page for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.conf import settings

from orders.edges import Edge, edges, published_by, source_of
from orders.process import PROCESS
from shop.messaging.commands import published
from shop.messaging.events import Event
from shop.messaging.reactions import expected_within
from shop.messaging.retries import policy_of
from shop.messaging.tables import services
from shop.tools.catalogue.commands import example_arguments, further
from shop.tools.catalogue.schemas import Schema, events, example, schemas, summary, type_in_words

INTRODUCTION = """\
# Events and commands

Made from the code by `python manage.py events`; a test fails when it is out of date. The same for machines:
[AsyncAPI 3.0](asyncapi.yaml) and [JSON Schema](events.schema.json). Who hears what is [drawn](subscriptions.md), too, and
live under `/admin/map/`.

An **event** is a fact in the past tense, owned by the app that publishes it. What was stored or sent once can be read for
ever: a new field has a default, another meaning is another event. Messages carry sets of events. Amounts are in minor
units; there is no personal data. A **command** is an operation that the orchestrator calls by its name.

Every event has these fields, and its own:
"""


def page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    found = schemas()
    yield INTRODUCTION
    common = ("ref", "id", "at", "origin")
    any_event = found[events()[0].__name__]["properties"]
    yield from _table(("field", "type", "what it says"), [_field(name, any_event[name]) for name in common])
    for name in ("Ref", "Origin"):
        yield f"\n**{name}** is a list:\n"
        rows = [_field(part["title"], part) for part in found[name]["prefixItems"]]
        yield from _table(("place", "type", "what it says"), rows)
    for service, some in groupby(sorted(events(), key=_place), key=source_of):
        yield f"\n## {service}"
        for event in some:
            yield from _event(event, found[event.__name__], common)
    yield from _commands()


def _place(event: type[Event]) -> tuple[int, str]:
    owner = source_of(event)
    return services().index(owner) if owner in services() else len(services()), event.__name__


def _event(event: type[Event], schema: Schema, common: tuple[str, ...]) -> Iterator[str]:
    yield f"\n### {event.__name__}\n"
    yield f"{schema['description'].replace('``', '`')}\n"
    own = [
        _field(name, field, "" if name in schema["required"] else ", may be missing")
        for name, field in schema["properties"].items()
        if name not in common
    ]
    if own:
        yield from _table(("field", "type", "what it says"), own)
        yield ""
    for style in settings.STYLES:
        yield f"- {style}: {_heard(event, style)}"
    yield f"\n<details><summary>Example</summary>\n\n```json\n{_json(example(schema))}\n```\n\n</details>"


def _heard(event: type[Event], style: str) -> str:
    told = [edge for edge in edges(style) if edge.event is event]
    acting = [
        f"{edge.target} does `{edge.function}`{_within(edge.receiver)}" for edge in told if not edge.noted
    ]
    noting = dict.fromkeys(receiver for edge in told for receiver in _noting(edge))
    noted = [f"{receiver.partition('.')[0]} notes it (`{receiver.partition('.')[2]}`)" for receiver in noting]
    return "; ".join([*acting, *noted]) or "nobody hears it"


def _noting(edge: Edge) -> tuple[str, ...]:
    return (edge.receiver,) if edge.noted else edge.noting


def _within(receiver: str) -> str:
    return f" within {expected_within(receiver):g} s"


def _commands() -> Iterator[str]:
    undos = {step.operation: step.undo.operation for step in PROCESS if step.undo}
    yield f"\n## Commands\n\n{PROCESS[0].service} sends them, in the style in which nobody hears of his turn by an event."
    yield "An operation is the same, whoever calls it.\n"
    rows: list[tuple[str, ...]] = []
    for name, operation in sorted(published.items()):
        takes = (
            ", ".join(f"`{key}`: {type_in_words(schema)}" for key, schema in further(operation).items())
            or "nothing"
        )
        answers = ", ".join(sorted(event.__name__ for event in published_by(name)))
        undo = f"`{undos[name]}`" if name in undos else "none"
        row = (
            f"`{name}`",
            summary(operation).replace("``", "`"),
            takes,
            answers,
            undo,
            f"{expected_within(name):g} s",
            policy_of(name),
        )
        rows.append(row)
    head = (
        "command",
        "what it does",
        "takes besides the orders",
        "answers with",
        "undo",
        "answers within",
        "retries",
    )
    yield from _table(head, rows)
    yield "\nEach order of a set is a list, as **Ref** is, with one place more: the id of the event that what is done"
    yield "follows from. An example, of a command with further arguments:\n"
    name = next((name for name, operation in sorted(published.items()) if further(operation)), min(published))
    yield f"```json\n{json.dumps([name, example_arguments(published[name])])}\n```"


def _json(values: dict[str, Any]) -> str:
    fields = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
    return f"{{\n{fields}\n}}"


def _field(name: str, schema: Schema, note: str = "") -> tuple[str, ...]:
    return f"`{name}`", f"{type_in_words(schema)}{note}", schema.get("description", "")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
