"""The same as AsyncAPI 3.0: a channel for each service's queue, an operation for each task that a message is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from django.conf import settings

from orders.edges import ANY_SERVICE, Edge, edges
from shop.messaging.commands import published
from shop.messaging.subscriptions import noting_task_name, task_name
from shop.messaging.tables import services
from shop.tools.catalogue.commands import arguments, example_arguments
from shop.tools.catalogue.schemas import Schema, events, example, schemas, summary

Messages = Mapping[tuple[str, str], Sequence[tuple[str, Edge]]]

REFERENCE = "#/components/schemas/{name}"
ABOUT = """\
Events and commands of the shop, as they lie in the services' queues. Each message is one of Celery's protocol 2, whose
header `task` names the operation. What is described here is, of an event, its task's first argument, as JSON text; of a
command, all its arguments. A message carries a set: one or many orders. Events that are only noted come, of all types
together, as pairs of type and event.
"""


def document() -> str:
    """The YAML."""
    known, comes = _schemas(), _by_message()
    whole = {
        "asyncapi": "3.0.0",
        "info": {"title": "Shop: events and commands", "version": "1", "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {service: _channel(service, comes) for service in services()},
        "operations": dict(_operations(comes)),
        "components": {"messages": _messages(known), "schemas": known},
    }
    dumped: str = yaml.dump(whole, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return f"# Made by: python manage.py events\n{dumped}"


class _Plain(yaml.SafeDumper):
    """Without anchors: what stands in two places is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def _all() -> Iterator[tuple[str, Edge]]:
    for style in settings.STYLES:
        for edge in edges(style):
            yield style, edge


def _by_message() -> Messages:
    """What comes into each service's queue: by service and message, the edges that it stands for, with their styles."""
    found: dict[tuple[str, str], list[tuple[str, Edge]]] = defaultdict(list)
    for style, edge in _all():
        found[edge.target, edge.receiver if edge.move else edge.name].append((style, edge))
        for receiver in edge.noting:
            found[receiver.partition(".")[0], edge.name].append((style, edge))
    return dict(sorted(found.items(), key=lambda item: (services().index(item[0][0]), item[0][1])))


def _channel(service: str, comes: Messages) -> Schema:
    names = [name for of, name in comes if of == service]
    return {
        "address": service,
        "description": f"The queue of the workers of {service}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operations(comes: Messages) -> Iterator[tuple[str, Schema]]:
    """Who receives, by the name of the task; and who sends, by what and to whom."""
    for (service, name), told in comes.items():
        channel = {"$ref": f"#/channels/{service}"}
        messages = [{"$ref": f"#/channels/{service}/messages/{name}"}]
        acting = sorted(
            {f"{style}: {edge.function}" for style, edge in told if edge.target == service and not edge.noted}
        )
        noted = any(
            edge.noted or edge.noting for _, edge in told if edge.move is None and service == _noting(edge)
        )
        senders = sorted({edge.source for _, edge in told})
        command = told[0][1].move is not None
        does = [*acting, *(["noted, a moment later, with events of all types"] if noted else [])]
        task = (
            name if command else task_name(service, name) if acting else f"{noting_task_name(service)}.{name}"
        )
        yield (
            task,
            {"action": "receive", "channel": channel, "summary": "; ".join(does), "messages": messages},
        )
        for sender in services() if senders == [ANY_SERVICE] else senders:
            yield (
                f"{sender}.sends.{name}.to.{service}",
                {"action": "send", "channel": channel, "messages": messages},
            )


def _noting(edge: Edge) -> str:
    receiver = edge.receiver if edge.noted else next(iter(edge.noting), "")
    return receiver.partition(".")[0]


def _messages(known: Mapping[str, Schema]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for event in events():
        found[event.__name__] = {
            "name": event.__name__,
            "title": f"{event.__name__}, of {event.owner() if event.owner() in services() else ANY_SERVICE}",
            "summary": summary(event),
            "payload": {"type": "array", "items": {"$ref": REFERENCE.format(name=event.__name__)}},
            "examples": [{"payload": [example(known[event.__name__])]}],
        }
    for name, operation in sorted(published.items()):
        found[name] = {
            "name": name,
            "title": f"{name}, a command",
            "summary": summary(operation),
            "payload": arguments(operation, REFERENCE),
            "examples": [{"payload": example_arguments(operation)}],
        }
    return found


def _schemas() -> dict[str, Schema]:
    """In the dialect of AsyncAPI, which is draft 7: what stands at a place in an array it calls ``items``."""
    found = schemas(REFERENCE)
    for schema in found.values():
        if "prefixItems" in schema:
            schema["items"] = schema.pop("prefixItems")
    return found
