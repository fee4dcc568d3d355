"""What would happen if what waits in a service's boxes were sent again: read from what is stored, nothing is done."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from celery import current_app
from django.urls import reverse

from shop.base.admin.buttons import Forecast
from shop.base.effects import Effects, foreseen, together
from shop.messaging import commands, inbox, subscriptions
from shop.messaging.dead_letters import Unreadable
from shop.messaging.events import Event, Ref, from_payload, registry
from shop.messaging.models import AbstractDeadLetter, AbstractInbox

NOTHING = "nothing"


def of_deliveries(rows: Sequence[AbstractInbox]) -> list[Forecast]:
    """For rows of an inbox: each receiver would get its event once more."""
    waiting: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.state != row.State.DONE:
            waiting[row.receiver].add(row.order_id)
    told = {receiver: foreseen(receiver, ids) for receiver, ids in waiting.items()}
    found = []
    for row in rows:
        if row.state == row.State.DONE:
            runs, effects = NOTHING, Effects((f"{row.receiver} has handled this {row.type}.",))
        else:
            runs, effects = f"{row.receiver}, on {row.type}", told[row.receiver][row.order_id]
        found.append(
            Forecast(row.number, reverse("admin:orders_order_find", args=[row.order_id]), runs, effects)
        )
    return found


def of_dead_letters(service: str, rows: Sequence[AbstractDeadLetter]) -> list[Forecast]:
    """For messages that nothing could be made of: whether anything could be now, and what that would do."""
    return [Forecast(row, "", *_of_dead_letter(service, row)) for row in rows]


def _of_dead_letter(service: str, row: AbstractDeadLetter) -> tuple[str, Effects]:
    if not row.is_whole:
        return NOTHING, Effects(("It was not kept whole, so it can't be put back.",))
    if row.task not in current_app.tasks:
        return NOTHING, Effects(("No task has this name here: it would come back as a dead letter.",))
    try:
        todo = list(_what_runs(service, row))
    except (Unreadable, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return NOTHING, Effects((f"{row.task} can't read it: it would come back as a dead letter.",))
    effects = [foreseen(operation, [ref.id])[ref.id] for operation, ref in todo]
    numbers = ", ".join(dict.fromkeys(ref.number for _, ref in todo))
    done = Effects(("Everything in it was handled already: nothing would be done.",))
    return (f"{row.task} for {numbers}", together(effects)) if todo else (NOTHING, done)


def _what_runs(service: str, row: AbstractDeadLetter) -> Iterable[tuple[str, Ref]]:
    """(operation, order) for all that a message would have run."""
    args = json.loads(json.loads(row.message)["body"])[0]
    event_type = registry.get(row.task.partition(".on.")[2])
    if event_type is None:
        for ref in commands.decode(args[0])[0]:
            yield row.task, ref
        return
    events: list[Event] = [from_payload(event_type, payload) for payload in json.loads(args[0])]
    for receiver in subscriptions.of(event_type.__name__, service=service):
        mine: list[Any] = [event for event in events if receiver.wants(event.ref.style)]
        for event in inbox.unhandled(service, receiver.receiver, mine):
            yield receiver.receiver, event.ref
