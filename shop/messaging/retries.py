"""When a thing that broke is tried again: exponential backoff with jitter, per operation, from ``settings.RETRIES``."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def next_try(operation: str, attempts: int) -> datetime | None:
    """When to try again after ``attempts`` failed attempts (1 or more); None: park it for a person."""
    policy = settings.RETRIES.get(operation, settings.RETRIES["default"])
    if attempts >= policy["attempts"]:
        return None
    wait = min(policy["first"] * 2 ** (attempts - 1), policy["cap"])
    return timezone.now() + timedelta(seconds=wait * random.uniform(0.8, 1.2))
