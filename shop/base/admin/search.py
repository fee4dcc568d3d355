"""What somebody means who types into a list's search box: the same in every list, as one app answers it."""

from __future__ import annotations

from uuid import UUID

import msgspec

from shop.base.lookups import ask

LONGEST = 200  # characters; what is longer is nobody's name, number or address
AT_MOST = 200  # orders of one customer, the newest, whose rows a list of another app shows


class OrdersMeant(msgspec.Struct, frozen=True):
    """The orders that a text means: by number, id, tracking number, or words of the customer's name or email address;
    the newest first, ``AT_MOST``. Asked for by the text."""

    order_ids: list[UUID]


def orders_meant(term: str) -> list[UUID]:
    """The ids of the orders that the text means."""
    if order_id := as_uuid(term):
        return [order_id]
    found = ask(OrdersMeant, [term]).get(term) if can_be_found(term) else None
    return found.order_ids if found else []


def can_be_found(term: str) -> bool:
    """Whether there can be anything of that name; PostgreSQL takes no NUL."""
    return bool(term) and len(term) <= LONGEST and "\x00" not in term


def as_uuid(text: str) -> UUID | None:
    """The id that somebody may have typed; None, if it is something else."""
    try:
        return UUID(text)
    except ValueError:
        return None
