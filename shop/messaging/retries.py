"""When a thing that broke is tried again: exponential backoff with jitter, by the policies of ``settings.RETRIES``."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

_policies: dict[str, str] = {}


def set_policy(operation: str, policy: str) -> None:
    """Say which policy holds for an operation, whichever style calls it. Raises KeyError: no such policy."""
    settings.RETRIES[policy]
    _policies[operation] = policy


def next_try(operation: str, attempts: int) -> datetime | None:
    """When to try again after ``attempts`` failed attempts (1 or more); None: park it for a person."""
    policy = settings.RETRIES[_policies.get(operation, "default")]
    if attempts >= policy["attempts"]:
        return None
    wait = min(policy["first"] * 2 ** (attempts - 1), policy["cap"])
    return timezone.now() + timedelta(seconds=wait * random.uniform(0.8, 1.2))
