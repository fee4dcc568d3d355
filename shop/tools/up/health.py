"""Healthchecks of the containers, with exit code 0 or 1. They run often, so none of them loads Django's apps.

``python -m shop.tools.up.health http PORT PATH``, ``relay``, ``webhooks``, or ``worker SERVICE``.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

PATIENCE = 3.0  # s
SILENT = 15.0  # s; it beats every 2, and a relay looks who leads every second, or MESSAGING_POLL_EVERY


def http(port: str, path: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return int(response.status) == 200


def relay() -> bool:
    """Whether a relay on this host listens to the database, and moves: see shop/messaging/leading.py."""
    import psycopg

    still_after = SILENT + float(os.environ.get("MESSAGING_POLL_EVERY", "1"))
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=int(PATIENCE)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'relay %%'"
            " AND client_addr IS NOT DISTINCT FROM inet_client_addr()"
            " AND state_change > clock_timestamp() - make_interval(secs => %s)",
            [still_after],
        ).fetchone()
    return bool(row and row[0])


def webhooks() -> bool:
    """Whether who sends webhooks has got on with its work: see shop/messaging/heartbeat.py."""
    return time.time() - (Path(os.environ["SHOP_DATA"]) / "beats" / "webhooks").stat().st_mtime < SILENT


def worker(service: str) -> bool:
    """Whether this host's worker of the service answers. While it works on a long task it answers late."""
    from celery import Celery

    app = Celery("health")
    app.config_from_object("shop.settings", namespace="CELERY")
    node = f"{service}@{socket.gethostname()}"
    return bool(app.control.ping(destination=[node], timeout=PATIENCE, limit=1))


def main() -> int:
    parser = argparse.ArgumentParser("python -m shop.tools.up.health")
    kinds = parser.add_subparsers(dest="kind", required=True)
    web = kinds.add_parser("http")
    web.add_argument("port")
    web.add_argument("path")
    kinds.add_parser("relay")
    kinds.add_parser("webhooks")
    kinds.add_parser("worker").add_argument("service")
    options = parser.parse_args()
    checks: dict[str, Callable[[], bool]] = {
        "http": lambda: http(options.port, options.path),
        "relay": relay,
        "webhooks": webhooks,
        "worker": lambda: worker(options.service),
    }
    try:
        healthy = checks[options.kind]()
    except Exception as error:  # whatever it is, it is the answer
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
