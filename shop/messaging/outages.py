"""An outside provider that is away: known to all workers of the service that needs it, asked by one of them now and then.

It is no order's fault, so no attempt is counted against one: what needs the provider rests until it is back.
The pattern is called circuit breaker (Nygard, "Release It!"): closed there is no row, open there is one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.apps import apps
from django.conf import settings

from shop.messaging.models import AbstractOutage
from shop.messaging.reach import by_database, only_holding_up
from shop.messaging.rows import Found, execute

logger = logging.getLogger(__name__)


class Outage(NamedTuple):
    """``since`` when a provider is away, how that shows ("can't be reached"), and whether it is time to try again.

    ``is_waited_for``: else it has lasted so long that a person must decide; then attempts count again.
    """

    provider: str
    since: datetime
    error: str
    probe_due: bool
    is_waited_for: bool

    @property
    def in_short(self) -> str:
        return f"{self.provider} has been down since {self.since:%H:%M:%S}"

    @property
    def in_words(self) -> str:
        return f"{self.in_short} UTC on {self.since.day} {self.since:%B}: it {self.error}"


def outages_of(service: str) -> type[AbstractOutage] | None:
    """The table of a service that has a provider."""
    try:
        return cast(type[AbstractOutage], apps.get_model(service, "Outage"))
    except LookupError:
        return None


def outage(service: str, provider: str) -> Outage | None:
    """What is known of a provider that is away."""
    return next((found for _, found in _read([service]) if found.provider == provider), None)


def outages(only: str | None = None) -> dict[str, Outage]:
    """The services whose provider is away, with the outage that has lasted longest; or just one service."""
    found: dict[str, Outage] = {}
    for service, one in _read([only] if only else settings.SERVICES):
        found.setdefault(service, one)
    return found


def waited_for(only: str | None = None) -> dict[str, Outage]:
    """Those that have not yet lasted too long: what needs such a provider rests."""
    return {service: found for service, found in outages(only).items() if found.is_waited_for}


def _read(services: Sequence[str]) -> Iterator[tuple[str, Outage]]:
    """Oldest first. Those that share a database are read at once."""
    for sharing in by_database(service for service in services if outages_of(service)):
        tables = {service: _table(service) for service in sharing}
        parts = " UNION ALL ".join(
            f"SELECT '{service}' AS service, provider, since, error, probe_at FROM {table._meta.db_table}"
            for service, table in tables.items()
        )
        late = "probe_at <= now() OR probe_at > now() + make_interval(secs => %s)"
        waited_for = "now() < since + make_interval(secs => %s)"
        sql = f"SELECT service, provider, since, error, {late}, {waited_for} FROM ({parts}) AS away ORDER BY since"
        found: Found = []
        with only_holding_up(sharing[0]):  # what lies there can't be done anyway
            found = execute(tables[sharing[0]], sql, settings.PROBE_EVERY, settings.OUTAGE_LIMIT, fetch=True)
        for service, *row in found:
            yield service, Outage(*row)


def begin(service: str, provider: str, error: str) -> Outage | None:
    """Note that a provider is away. Of several who find out the first is right about since when.

    Returns what is known of it; None: it is back already.
    """
    model = _table(service)
    made = execute(
        model,
        f"""
        INSERT INTO {model._meta.db_table} (provider, since, probe_at, error)
        VALUES (%s, now(), now() + make_interval(secs => %s), %s) ON CONFLICT DO NOTHING RETURNING 1
        """,
        provider,
        settings.PROBE_EVERY,
        error[:300],
        fetch=True,
    )
    if made:
        logger.warning("%s is down (%s); it is tried every %g s.", provider, error, settings.PROBE_EVERY)
    return outage(service, provider)


def may_probe(service: str, provider: str) -> bool:
    """Whether it is for the caller to try the provider now: one caller at a time."""
    model = _table(service)
    claimed = execute(
        model,
        f"""
        UPDATE {model._meta.db_table} SET probe_at = now() + make_interval(secs => %s)
        WHERE provider = %s AND (probe_at <= now() OR probe_at > now() + make_interval(secs => %s)) RETURNING 1
        """,
        settings.PROBE_EVERY,
        provider,
        settings.PROBE_EVERY,
        fetch=True,
    )
    return bool(claimed)


def end(service: str, provider: str) -> None:
    """The provider has answered."""
    model = _table(service)
    ended = execute(
        model,
        f"DELETE FROM {model._meta.db_table} WHERE provider = %s RETURNING extract(epoch FROM now() - since)::int",
        provider,
        fetch=True,
    )
    for (seconds,) in ended:
        logger.warning("%s is back, after %d s.", provider, seconds)


def _table(service: str) -> type[Any]:
    model = outages_of(service)
    if model is None:
        raise LookupError(f"{service} has no model Outage, so it can't note that a provider is away.")
    return model
