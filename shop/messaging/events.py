"""What a message says: a fact in the past tense, about one order, owned by the app whose ``events.py`` declares it.

Every event type is a Celery signal. What makes it more than an in-process call is the outbox row it is stored as and
the durable message the relay makes of that row for each service that listens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar, cast
from uuid import UUID

import msgspec
from celery.utils.dispatch import Signal
from msgspec import Meta, field

from shop.messaging.ids import uuid7
from shop.messaging.origins import Origin


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """The order a message is about: its id, its display number, and the style it was placed under."""

    id: Annotated[UUID, Meta(description="The order's id.")]
    number: Annotated[
        str, Meta(description="Its number, for people.", examples=["S-100042"], pattern="^[!-~]{1,32}$")
    ]
    style: Annotated[str, Meta(description="In which it is coordinated.")]


def _now() -> datetime:
    return datetime.now(UTC)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events. A subclass adds the payload: ids and amounts, never personal data.

    What was stored or sent once can be read for ever: a new field has a default, another meaning is another event.
    """

    signal: ClassVar[Signal]

    ref: Annotated[Ref, Meta(description="The order it is about.")]
    id: Annotated[UUID, Meta(description="Its own: a copy has the same.")] = field(default_factory=uuid7)
    at: Annotated[datetime, Meta(description="When, by its publisher's clock.")] = field(default_factory=_now)
    origin: Annotated[Origin | None, Meta(description="What led to it.")] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__ in registry:
            raise TypeError(f"Two event types are called {cls.__name__}; give one another name.")
        cls.signal = Signal(name=cls.__name__, providing_args=["events", "again"])
        registry[cls.__name__] = cls

    @classmethod
    def owner(cls) -> str:
        """The app that publishes it."""
        return cls.__module__.partition(".")[0]

    def in_words(self) -> str:
        """What happened, in a line for the order's timeline."""
        raise NotImplementedError(f"{type(self).__name__} must say what happened.")


registry: dict[str, type[Event]] = {}
to_be_noted = Signal(
    name="to_be_noted", providing_args=["events"]
)  # events of all types, for who only takes note


class StepFailed(Event, frozen=True, kw_only=True):
    """An operation broke for this order. Sent by the service it broke in, so that the order can say why it waits.

    ``attempt`` and ``retry_at`` are set where the service itself tries again (a reaction to an event);
    where they are None, whoever commanded the operation decides. ``parked``: it waits for a person; ``waits``: for
    somebody outside who is away, and no attempt was counted. ``trace``: where the error came from, for engineers;
    of somebody who is away it says nothing.
    """

    operation: Annotated[str, Meta(description="What broke.", examples=["payments.charge"])]
    error: Annotated[str, Meta(description="In one line.", examples=["The provider does not answer."])]
    attempt: Annotated[int | None, Meta(description="Which one failed, where the service counts.")] = None
    retry_at: Annotated[
        datetime | None, Meta(description="When it is tried again, where the service does.")
    ] = None
    parked: Annotated[bool, Meta(description="It waits for a person.")] = False
    waits: Annotated[bool, Meta(description="It waits for somebody outside; no attempt was counted.")] = False
    trace: Annotated[str, Meta(description="Where the error came from, for engineers.")] = ""

    def in_words(self) -> str:
        if self.waits:
            return f"{self.operation} waits: {self.error}"
        then = ", parked for a person" if self.parked else ", to be tried again" if self.retry_at else ""
        return f"{self.operation} failed{then}: {self.error}"


E = TypeVar("E", bound=Event)


def to_payload(event: Event) -> dict[str, Any]:
    """The event as plain JSON types, for a row or a message."""
    payload: dict[str, Any] = msgspec.to_builtins(event)
    return payload


def from_payload(event_type: type[E], payload: Mapping[str, Any]) -> E:
    """The event a row or a message holds.

    Raises:
        msgspec.ValidationError: the payload is not of this type; says which field.
    """
    return msgspec.convert(payload, event_type)


def holds_nul(payload: object) -> bool:
    """Whether it holds a character that no column takes."""
    return b"\\u0000" in msgspec.json.encode(payload).replace(b"\\\\", b"")


def storable(payload: dict[str, Any]) -> dict[str, Any]:
    """The same for a column: of a NUL in it there is a picture."""
    if not holds_nul(payload):
        return payload
    shown = msgspec.json.encode(payload).replace(b"\\u0000", "\N{SYMBOL FOR NULL}".encode())
    return cast("dict[str, Any]", msgspec.json.decode(shown))


def refs_of(events: Iterable[Event]) -> list[Ref]:
    return [event.ref for event in events]
