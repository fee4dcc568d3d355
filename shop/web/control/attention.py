"""What needs looking at, in sentences, the most telling first; and the list of what each is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from orders.models import Saga
from orders.telling.situation import TROUBLE, WAITING
from orders.telling.trouble import failure_in_words
from shop.base.spans import span
from shop.web.control.flight import TOLD
from shop.web.control.links import List, in_flight, orders
from shop.web.control.numbers import Numbers

UNSENT = timedelta(minutes=2)  # longer than a claim holds of who was killed
GOES_ON = "Orders are kept, and go on by themselves once it is back."


@dataclass(frozen=True)
class Concern:
    """``first`` is the sentence that counts. ``rows``: so many are in the list ``about`` it, if there is one."""

    level: str
    first: str
    rest: str = ""
    about: List | None = None
    rows: int = 0


def concerns(numbers: Numbers) -> list[Concern]:
    """Empty: there is nothing to do."""
    found = [*_machinery(numbers), *_waiting_for_a_person(numbers), *_silent(numbers), *_boxes(numbers)]
    found += _providers(numbers)
    return sorted(found, key=lambda concern: concern.level != TROUBLE)


def _machinery(numbers: Numbers) -> Iterator[Concern]:
    for sentence in numbers.missing:
        yield Concern(TROUBLE, sentence)
    if numbers.shut:
        late = many(numbers.shut.late or numbers.shut.half, "order", verb=False)
        yield Concern(
            TROUBLE,
            "The door is shut: no new order is taken.",
            f"{late} wait for their turn, the first for {numbers.shut.longest:.0f} s. It opens by itself once they "
            "have got on: look below which service does not keep up.",
            in_flight(),
            sum(numbers.flight.by.values()) if numbers.flight else 0,
        )
    if numbers.broker.answers is False:
        yield Concern(
            TROUBLE, "The broker does not answer.", f"{GOES_ON} Whether workers live can't be told meanwhile."
        )
    if numbers.relays == 0:
        yield Concern(
            TROUBLE,
            "No relay runs.",
            "Nobody takes up what is placed now: start one, manage.py relay. One that hangs or is frozen does not count.",
        )
    if numbers.webhooks and numbers.webhooks > UNSENT:
        yield Concern(
            TROUBLE,
            f"Webhooks have waited to be sent for {span(numbers.webhooks)}.",
            "Who sends them is missing, or has too much to do: start one, manage.py webhooks, or look into its log.",
            List("orders", "webhookdelivery", {"state": "waiting"}),
        )
    for service, alive in numbers.broker.workers.items():
        if alive == 0:
            waiting = numbers.broker.queues.get(service, 0)
            told = f"{many(waiting, 'message')} in its queue." if waiting else "Its queue is empty."
            yield Concern(
                TROUBLE,
                f"No worker of {service} answers.",
                f"{told} Start one, manage.py worker {service}, or look into its log.",
            )
    if numbers.flight and (overdue := numbers.flight.kinds["overdue"]):
        yield Concern(
            TROUBLE,
            f"{many(overdue, 'order')} overdue.",
            "It was time to take them up again, and nobody has: is a relay running?",
            orders(attention="overdue"),
            overdue,
        )


def _waiting_for_a_person(numbers: Numbers) -> Iterator[Concern]:
    if not numbers.flight:
        return
    told = 0
    for reason in numbers.flight.reasons:
        told += reason.count
        what = "parked, and waits for a person" if reason.count == 1 else "parked, and wait for a person"
        if reason.state == Saga.State.NEEDS_ATTENTION:
            what = "to be looked at: what undoes an order has failed for good"
        how = "exact" if len(reason.error) < TOLD else "startswith"
        query = {"saga__state__exact": reason.state, f"saga__last_error__{how}": reason.error}
        yield Concern(
            TROUBLE,
            f"{many(reason.count, 'order')} {what}.",
            f"{_sentence(reason.error)} Remove the cause, then resume.".strip(),
            orders(**query),
            reason.count,
        )
    if others := numbers.flight.kinds["parked"] - told:
        yield Concern(
            TROUBLE,
            f"{many(others, 'more order')} waiting for a person, for other reasons.",
            "",
            orders(attention="parked"),
            numbers.flight.kinds["parked"],
        )


def _silent(numbers: Numbers) -> Iterator[Concern]:
    for edge in numbers.silent:
        yield Concern(
            TROUBLE,
            f"{edge.receiver} is silent.",
            f"It has not reacted to {edge.event} of {many(edge.count, 'order', verb=False)}, the first from "
            f"{edge.since:%d %B, %H:%M:%S} UTC. It is sent again and again: look into that service's log.",
            List(
                edge.service,
                "incident",
                {"open": "yes", "type": edge.event, "receiver__exact": edge.receiver},
            ),
            edge.count,
        )


def _boxes(numbers: Numbers) -> Iterator[Concern]:
    parked_orders = numbers.flight.kinds["parked"] if numbers.flight else 0
    for service, one in numbers.boxes.items():
        if one.parked and not parked_orders:  # else those orders are told of already
            yield Concern(
                TROUBLE,
                f"{many(one.parked, 'message')} given up by {service}.",
                "Remove the cause, then send again.",
                List(service, "inbox", {"state__exact": "parked"}),
                one.parked,
            )
        if one.dead:
            yield Concern(
                WAITING,
                f"{many(one.dead, 'message', verb=False)} in the queue of {service} could not be read.",
                "No order waits for them. Put them back, or dismiss them.",
                List(service, "deadletter"),
                one.dead,
            )


def _providers(numbers: Numbers) -> Iterator[Concern]:
    resting = numbers.flight.kinds["resting"] if numbers.flight else 0
    for outage in numbers.outages.values():
        if not outage.is_waited_for:
            yield Concern(
                TROUBLE,
                f"{outage.in_words}.",
                "It has been away for so long that attempts count again, and orders are parked.",
            )
        else:
            waits = f"{many(resting, 'order')} waiting for it" if resting else "No order waits for it yet"
            if len(numbers.outages) > 1:
                waits = f"{many(resting, 'order')} waiting for a provider"
            yield Concern(
                WAITING,
                f"{outage.in_words}.",
                f"{waits}. What waits goes on by itself; nothing is to be done.",
                orders(attention="resting") if resting else None,
                resting,
            )


def many(count: int, what: str, *, verb: bool = True) -> str:
    """``1 order is``, ``1,200 orders are``."""
    noun = f"{count:,} {what}{'' if count == 1 else 's'}"
    return f"{noun} {'is' if count == 1 else 'are'}" if verb else noun


def _sentence(error: str) -> str:
    cut = "…" if len(error) >= TOLD else "."
    return f"{failure_in_words(error)}{cut}" if error else ""
