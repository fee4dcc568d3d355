"""How hypothesis tries a property: a fixed seed and a number of cases, both to be had otherwise (``make fuzz``)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings

SEED = int(os.environ.get("FUZZ_SEED", "1"))
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))  # so many times the cases of the default run


def tried(cases: int) -> Callable[[Any], Any]:
    """Decorates a property. A failure says its seed, and the blob that gives the same again."""
    chosen = settings(
        max_examples=cases * TIMES,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(SEED)(chosen(test))
