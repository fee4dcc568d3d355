"""What notifications publishes: each fact, what it says, and when it is sent."""

from __future__ import annotations

from shop.messaging.events import Event


class ConfirmationSent(Event, frozen=True, kw_only=True):
    """The customer has been told that the order is on its way."""


class CancellationNoticeSent(Event, frozen=True, kw_only=True):
    """The customer has been told that the order is cancelled."""
