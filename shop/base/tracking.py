"""The link in a customer's mail: whoever has it sees the order, without logging in. It never expires."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

from shop.messaging.discretion import never_logged

PATH = (
    "track/"  # the mails are written where no page is known: so it stands here, and in no list of addresses
)
never_logged(rf"(?<={PATH})[^/\s]+")


def tracking_link(order_id: UUID) -> str:
    """Where the order can be followed, for whoever is given the link. It holds the order's id and nothing of a person."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/{PATH}{token_of(order_id)}/"


def token_of(order_id: UUID) -> str:
    return _signer().sign(order_id.hex)


def order_of(token: str) -> UUID | None:
    """The order a token is of; None: nobody here has signed it."""
    try:
        return UUID(hex=_signer().unsign(token))
    except (BadSignature, ValueError):
        return None


def _signer() -> Signer:
    """With the key of this moment, and those before it that are still taken (SECRET_KEY_FALLBACKS)."""
    return Signer(sep=".", salt="an order's page")
