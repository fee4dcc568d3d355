"""A secret that was renewed before the upgrade counts after it, until the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from orders.webhooks.models import WebhookEndpoint
from shop.base.databases import alias_of

BEFORE, AFTER = ("orders", "0014_webhooks"), ("orders", "0015_old_secrets")


def migrated(to: tuple[str, str]) -> Any:
    """The model as it then is."""
    executor = MigrationExecutor(connections[alias_of("orders")])
    executor.migrate([to])
    return executor.loader.project_state([to]).apps.get_model("orders", "WebhookEndpoint").objects


def test_old_secrets_come_along_there_and_back(endpoint: WebhookEndpoint) -> None:
    later, ago = timezone.now() + timedelta(hours=5), timezone.now() - timedelta(hours=5)
    rows = migrated(BEFORE)
    for of, until in (("counts", later), ("no longer", ago), ("none", None)):
        old = {"previous_secret": f"whsec_{of}" if until else "", "previous_until": until}
        rows.create(customer_id=1, url=of, secret="whsec_new", created_at=timezone.now(), **old)
    rows = migrated(AFTER)
    found = {row.url: row.old_secrets for row in rows.all()}
    (old,) = found.pop("counts")
    assert (old["secret"], datetime.fromisoformat(old["until"])) == ("whsec_counts", later)
    assert list(found.values()) == [[], [], []]
    rows = migrated(BEFORE)
    assert rows.values_list("previous_secret", "previous_until").get(url="counts") == ("whsec_counts", later)
    migrated(AFTER)
