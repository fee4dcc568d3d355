"""What notifications publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shop.messaging.events import Event


class ConfirmationSent(Event, frozen=True, kw_only=True):
    """The customer was told that the order is on its way; or, if not ``certain``, may have been."""

    certain: Annotated[bool, Meta(description="False: the sender was cut off, nobody knows.")] = True

    def in_words(self) -> str:
        if self.certain:
            return "the customer was told that it is on its way"
        return "the mail that it is on its way may be out or not: its sender was cut off"


class CancellationNoticeSent(Event, frozen=True, kw_only=True):
    """The customer was told that the order is cancelled; or, if not ``certain``, may have been."""

    certain: Annotated[bool, Meta(description="False: the sender was cut off, nobody knows.")] = True

    def in_words(self) -> str:
        if self.certain:
            return "the customer was told that it is cancelled"
        return "the mail that it is cancelled may be out or not: its sender was cut off"
