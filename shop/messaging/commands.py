"""Commands: a service's operations as Celery tasks in its own queue, for an orchestrator to call by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID, uuid5

import msgspec
from celery import Signature, Task, current_app, current_task, signature
from msgspec import Meta

from shop.messaging import brokers, monitoring
from shop.messaging.dead_letters import Unreadable, refuse_too_many
from shop.messaging.delivery import taking_own
from shop.messaging.events import Ref, StepFailed
from shop.messaging.ids import uuid7
from shop.messaging.origins import at_work, cause, request_of
from shop.messaging.outcomes import Outcome, Unavailable, attempt, in_a_word
from shop.messaging.points import Point, reach
from shop.messaging.reactions import expect
from shop.messaging.recording import recording
from shop.messaging.retries import set_policy
from shop.messaging.sending import post
from shop.messaging.tasks import can_run_in, service_of, task
from shop.messaging.tracebacks import trace

logger = logging.getLogger(__name__)

Encoded = list[list[str | None]]  # a set of orders, as commands carry and return it


class Commanded(Ref, frozen=True, array_like=True):
    """An order of a command's set."""

    cause: Annotated[UUID | None, Meta(description="The event that what is done follows from.")] = None
    request: Annotated[str | None, Meta(description="The id of the request that it goes back to.")] = None


published: dict[str, Callable[..., Outcome]] = {}  # operations, by the names of their commands


def command(
    operation: Callable[..., Outcome], *, retries: str = "default", within: float | None = None
) -> None:
    """Publish an operation as the task ``<service>.<operation>``. ``retries``: its policy, one of ``settings.RETRIES``;
    ``within``: the seconds in which a reaction is expected, commanded or to an event (default: ``REACT_WITHIN``).

    The task takes the set (and any further arguments) and returns those of the orders the operation is done for, so
    that in a chain a refused or broken order leaves the set. What broke is told to the order as ``StepFailed``.
    The next link is played here, at once, if it is a command of the same service or only sends.
    """
    service = service_of(operation.__module__)
    name = f"{service}.{operation.__name__}"
    published[name] = operation
    set_policy(name, retries)
    if within is not None:
        expect(name, within)

    @task(name)
    def run(encoded: Encoded, *args: Any) -> Encoded:
        refs, causes, requests = decode(encoded)
        with at_work(causes, requests):
            return _go_on(name, encode(done(refs, *args)))

    def done(refs: Sequence[Ref], *args: Any) -> Sequence[Ref]:
        with taking_own(service):
            outcome = attempt(lambda some: operation(some, *args), refs, lambda ref: ref)
        if outcome.faults:
            with recording(service) as record:
                for ref, error in outcome.faults.items():
                    waits = isinstance(error, Unavailable)
                    record.publish(
                        StepFailed(
                            id=_of_this_try(name, ref),
                            ref=ref,
                            operation=name,
                            error=in_a_word(error),
                            waits=waits,
                            trace="" if waits else trace(error),
                        )
                    )
                    logger.warning("%s failed for %s: %s", name, ref.number, in_a_word(error))
                    monitoring.broke([ref.number], error, parked=False)  # whoever commanded it decides
        return outcome.done


def _of_this_try(name: str, ref: Ref) -> UUID:
    """The event's id if an operation fails now. What is done for an order side by side, in a chord, or because a message
    was doubled, is one try: it may fail in several places, and counts once.
    """
    request = current_task.request if current_task else None
    this = (request.group or request.id) if request else None
    return uuid5(ref.id, f"{name} {this}") if this else uuid7()


def link(name: str) -> Callable[[Callable[[Sequence[Ref]], Sequence[Ref]]], Task[..., Any]]:
    """Make a function a link of chains, the task ``name``: it only sends. It takes the set, and returns who goes on."""

    def make(function: Callable[[Sequence[Ref]], Sequence[Ref]]) -> Task[..., Any]:
        @task(name, only_sends=True)
        def run(encoded: Encoded) -> Encoded:
            refs, causes, requests = decode(encoded)
            with at_work(causes, requests):
                return _go_on(name, encode(function(refs)))

        return run

    return make


def _go_on(name: str, done: Encoded) -> Encoded:
    """Play the links behind that need no message, and send the next one. Returns those the last played is done for."""
    chain: list[dict[str, Any]] | None = current_task.request.chain if current_task else None  # type: ignore[assignment]
    if not chain:
        return done
    if not done:  # nobody is left in the set: the links behind have nothing to do
        chain.clear()
        return done
    here = str(current_task.request.delivery_info["routing_key"])  # type: ignore[index]  # its queue is the service
    following = chain.pop()
    if can_run_in(here, following["task"]):
        played: Encoded = current_app.tasks[following["task"]].run(done, *following["args"])
        return played
    reach(Point.HANDLED, name)
    _send(following, done, [*chain])
    chain.clear()
    return done


def _send(following: dict[str, Any], done: Encoded, rest: list[dict[str, Any]]) -> None:
    """As Celery sends the next link of a chain. Should it not be sent, the saga is played on."""
    options, request = following["options"], current_task.request
    try:
        post(
            options["queue"],
            options["task_id"],
            following["task"],
            (done, *following["args"]),
            options["argsrepr"],
            chain=rest,
            root_id=request.root_id,
            parent_id=request.id,
        )
    except brokers.AWAY as error:
        logger.warning(
            "The broker is away; %s waits until its orders are taken up again: %s", following["task"], error
        )


def call(
    name: str, refs: Sequence[Ref], *args: Any, given: bool = True, joined: bool = False
) -> Signature[Any]:
    """A command to send: with its set (``given``), or as a link of a chain that gets what the link before returns.

    ``joined``: its result is waited for, by a chord. The set's order numbers are shown in Flower as the task's arguments.
    """
    return signature(
        name,
        args=(encode(refs), *args) if given else args,
        immutable=given,
        options={
            "queue": service_of(name),
            "argsrepr": numbers(refs),
            "kwargsrepr": "",
            "ignore_result": not joined,
        },
    )


def encode(refs: Sequence[Ref]) -> Encoded:
    """A set of orders, each with the event and the request that what is done next for it follows from."""
    orders = [Commanded(*_fields(ref), cause(ref.id), request_of(ref.id)) for ref in refs]
    encoded: Encoded = msgspec.to_builtins(orders)
    return encoded


def decode(encoded: Encoded) -> tuple[list[Ref], dict[UUID, UUID], dict[UUID, str]]:
    """The set, and by order these events and requests. Raises shop.messaging.dead_letters.Unreadable."""
    try:
        found = msgspec.convert(encoded, list[Commanded])
    except msgspec.ValidationError as error:
        raise Unreadable(f"It names no set of orders: {error}") from None
    refuse_too_many(len(found))
    causes = {one.id: one.cause for one in found if one.cause}
    requests = {one.id: one.request for one in found if one.request}
    return [Ref(*_fields(one)) for one in found], causes, requests


def _fields(ref: Ref) -> tuple[UUID, str, str]:
    return ref.id, ref.number, ref.style


def numbers(refs: Sequence[Ref]) -> str:
    """The orders of a set, for people: their numbers."""
    return ", ".join(ref.number for ref in refs)
