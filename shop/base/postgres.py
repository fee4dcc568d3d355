"""A database as Django's settings want it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dj_database_url

# A host that vanishes ends no connection: after 10 s (ms, s, s, times) it is given up, not after TCP's 15 minutes.
VANISHED = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


def database(url: str, told: Mapping[str, int]) -> dict[str, Any]:
    """``told``: what each connection sets, by PostgreSQL's names."""
    # All SQL binds on the server: no statement that PostgreSQL logs, or shows as running, has a value in it, and what a
    # connection runs a second time is prepared.
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)}
    options = " ".join(f"-c {name}={value}" for name, value in told.items())
    binds = {"server_side_binding": True, "prepare_threshold": 1}
    defaults = {**binds, "connect_timeout": 5, "options": options, **VANISHED}
    return {**found, "OPTIONS": {**defaults, **found.get("OPTIONS", {})}}
