"""When a thing that broke is tried again: exponential backoff with jitter, by the policies of ``settings.RETRIES``."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings

from shop.messaging.outcomes import Unavailable

_policies: dict[str, str] = {}


def furthest() -> float:
    """s: nothing is ever due later than so. What is said to be was written while a clock was wrong."""
    return 2 * max(settings.MESSAGING["RESEND_CAP"], *(policy["cap"] for policy in settings.RETRIES.values()))


def set_policy(operation: str, policy: str) -> None:
    """Say which policy holds for an operation, whichever style calls it. Raises KeyError: no such policy."""
    settings.RETRIES[policy]
    _policies[operation] = policy


def policy_of(operation: str) -> str:
    """Its name in ``settings.RETRIES``."""
    return _policies.get(operation, "default")


def next_try(
    operation: str, attempts: int, error: Exception | None = None, *, now: datetime
) -> datetime | None:
    """When to try again after ``attempts`` failed attempts (1 or more); None: park it for a person.

    ``now``: by the clock by which the time is looked for, the database's.

    What is only Unavailable is looked at again soon: it rests until then anyway (see ``outages``).
    """
    if isinstance(error, Unavailable):
        wait = float(settings.PROBE_EVERY)
    else:
        policy = settings.RETRIES[policy_of(operation)]
        if attempts >= policy["attempts"]:
            return None
        wait = min(policy["first"] * 2 ** (attempts - 1), policy["cap"])
    return now + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, no secret)
