"""What is kept of people for a time only (``settings.RETENTION``), cleared bit by bit, beside the web process.

Sessions and tokens that have expired, accounts of guests who bought long ago, and whom old orders were for. The relay,
which deletes old messages (``shop/messaging/pruning.py``), knows nothing of accounts. Several processes do no harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.utils import timezone
from knox.models import AuthToken

from orders.models import Order, Saga
from shop.messaging.outcomes import in_a_word
from shop.messaging.pruning import kept_since
from shop.tools.customers.accounts import GUEST
from shop.tools.customers.erase import forget

logger = logging.getLogger(__name__)

EVERY = 60.0  # s between two looks, as long as there is nothing to do
AT_ONCE = 200  # rows
SHARE = 0.2  # of the thread's time, at the most, that it is at work
ANEW = timedelta(
    days=1
)  # after which orders are looked at from the oldest again: some were not at their ends


def begin() -> None:
    """In a thread of its own, which ends with the process."""
    threading.Thread(target=_clear_for_ever, name="clearing", daemon=True).start()


def _clear_for_ever() -> None:
    guests, orders, rest = Guests(), Orders(), EVERY
    while True:
        time.sleep(rest)
        began, more = time.monotonic(), False
        for clear in (sessions, tokens, guests.clear_some, orders.clear_some):
            more |= cleared(clear) >= AT_ONCE
        connections.close_all()
        took = time.monotonic() - began
        rest = took / SHARE if more else EVERY


def cleared(clear: Callable[[], int]) -> int:
    try:
        return clear()
    except DatabaseError as error:  # another time
        logger.warning("What has expired stays for now: %s", in_a_word(error))
        return 0


def sessions() -> int:
    return _delete(Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date"))


def tokens() -> int:
    return _delete(AuthToken.objects.filter(expiry__lt=timezone.now()).order_by("expiry"))


class _FromTheOldest:
    """Rows by their ids, which grow with time: nothing is read behind the first young one, and what can't go yet does not
    stand in the way of what can."""

    def __init__(self) -> None:
        self._after, self._began = 0, timezone.now()

    def clear_some(self) -> int:
        """Returns how many old ones were looked at."""
        if timezone.now() - self._began > ANEW:
            self._after, self._began = 0, timezone.now()
        old = self._old(self._after)
        self._after = max(old, default=self._after)
        return len(old)

    def _old(self, after: int) -> list[int]:
        """Clear what can go of the next old rows, and return the ids of all of them."""
        raise NotImplementedError


class Guests(_FromTheOldest):
    """Accounts that nobody can log in to, once who bought with them is long gone. Their orders stay."""

    def _old(self, after: int) -> list[int]:
        if not settings.RETENTION["GUESTS"]:
            return []
        since = kept_since("GUESTS")
        made = User.objects.filter(username__startswith=GUEST, password__startswith=UNUSABLE_PASSWORD_PREFIX)
        old = made.filter(pk__gt=after, date_joined__lt=since).order_by("pk")
        ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
        orders = Order.objects.filter(customer_id__in=ids).order_by()
        needed = orders.exclude(saga__state=Saga.State.ENDED, placed_at__lt=since)
        gone = set(ids) - set(needed.values_list("customer_id", flat=True))
        User.objects.filter(pk__in=gone).delete()
        return ids


class Orders(_FromTheOldest):
    """Whom old orders were for."""

    def _old(self, after: int) -> list[int]:
        if not settings.RETENTION["PEOPLE"]:
            return []
        since = kept_since("PEOPLE")
        rows = Order.objects.filter(pk__gt=after).select_related("saga").order_by("pk")[:AT_ONCE]
        old = [order for order in rows if order.placed_at < since]
        ended = [order for order in old if order.ended_at and order.ended_at < since and order.email]
        forget([order for order in ended if order.saga.state == Saga.State.ENDED])
        return [order.pk for order in old]


def _delete(rows: QuerySet[Any]) -> int:
    """A bounded number of them."""
    keys = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
