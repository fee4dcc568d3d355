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


def database(url: str, waits: Mapping[str, int]) -> dict[str, Any]:
    """``waits``: PostgreSQL's names of what has an end, and after how many ms."""
    # Set SQL binds on the server (shop/messaging/rows.py): what a connection runs a second time is prepared.
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)}
    options = " ".join(f"-c {name}={value}" for name, value in waits.items())
    defaults = {"prepare_threshold": 1, "connect_timeout": 5, "options": options, **VANISHED}
    return {**found, "OPTIONS": {**defaults, **found.get("OPTIONS", {})}}
