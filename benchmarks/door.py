"""How many orders the API accepts while the shop fulfils them: `python -m benchmarks.door`.

There is the web server as `make run` starts it, with relay, a worker per service, PostgreSQL and Valkey; providers answer
at once, in the process. One client posts orders of 2 lines on connections that are kept alive: first as many as are
accepted, then half the goal, each when it is due. Every accepted order must then be completed, and the audit content.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from benchmarks import about, counters, results
from benchmarks.client import Client
from benchmarks.measuring import LONGEST, POLL, STUCK, Others
from benchmarks.posting import Answers, post
from benchmarks.servers import Servers, own_servers
from benchmarks.systems.base import READY_WITHIN, ROOT
from benchmarks.systems.shop import Shop, audit

RESULT = ROOT / "benchmarks" / "results" / "door.json"
WARM_UP = 1.0  # s
HALF_THE_GOAL = 200.0  # orders a second
CONNECTIONS = 64
# What brakes a flood is there and is paid for, but never bites: one customer sends it all.
BRAKES = {"PLACING_RATE": "1000000/minute", "ADMISSION_MAX_AGE": "3600"}
CUSTOMER = {"username": "ada", "password": "only for the benchmark"}


class ShopWithWeb(Shop):
    def start(self) -> None:
        from shop.tools.up.ports import free_port
        from shop.tools.up.programs import Programs

        super().start()
        self.port = free_port()
        self._stack.supervisor.start(Programs(self._stack.env, self._stack.data).web(self.port))
        self._stack.wait_ready(READY_WITHIN)

    def environment(self, database: str) -> dict[str, str]:
        return {
            **super().environment(database),
            **{name: os.environ.get(name, own) for name, own in BRAKES.items()},
        }

    def groups(self) -> Mapping[str, list[int]]:
        """Each process by its name."""
        servers = {"postgres": self.servers.postgres.pid, "valkey": self.servers.redis.pid}
        return {name: [pid] for name, pid in {**self._stack.pids(), **servers}.items()}


def measure(servers: Servers, style: str, seconds: float, rate: float, connections: int) -> dict[str, Any]:
    """At full load and at ``rate`` orders a second, ``seconds`` each."""
    shop = ShopWithWeb(servers, f"door_{style}", style)
    shop.prepare()
    with ExitStack() as stack:
        stack.callback(shop.stop)
        shop.start()
        client = stack.enter_context(Client(shop.door, shop.env))
        client.run(open_account)
        token = log_in(shop.port)
        load(shop, client, token, WARM_UP, connections)
        servers.tell("VACUUM ANALYZE", shop.database)
        found: dict[str, Any] = {
            "full": load(shop, client, token, seconds, connections),
            "half": load(shop, client, token, seconds, connections, rate),
            "web_memory_mib": counters.memory_mib(shop.groups()["web"]),
        }
        audited = client.run(audit)
        found["audit"] = {name: audited.get(name) for name in ("ok", "orders", "in_flight", "left_out")}
        if not audited["ok"]:
            found["audit"]["violations"] = audited.get("violations", [])[:5]
    return found


def load(
    shop: ShopWithWeb, client: Client, token: str, seconds: float, connections: int, rate: float | None = None
) -> dict[str, Any]:
    """Post for so long, then wait until all is done. CPU is counted until then."""
    groups = {**shop.groups(), "client": [client.pid]}
    newest, before, others = client.last(), _cpu(groups), Others()
    answers: Answers = client.run(post, shop.port, token, seconds, connections, rate)
    accepted = len(answers.waits)
    meanwhile, _ = client.ended(newest)
    sets = client.run(sets_since, newest)
    completed = _completed(client, newest, accepted)
    after = _cpu(groups)
    if {**shop.groups(), "client": [client.pid]} != groups:
        raise RuntimeError("A process died and another took its place.")
    waits = sorted(1000 * wait for wait in answers.waits)
    spent = {name: round(1000 * (after[name] - before[name]) / max(1, accepted), 3) for name in groups}
    found = {
        "accepted": accepted,
        "accepted_per_s": round(accepted / answers.seconds, 1),
        "refused": dict(answers.refused),
        "orders_per_set": round(accepted / max(1, sets), 1),
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
        "longest_ms": percentile(waits, 1),
        "ended_meanwhile": meanwhile,
        "ended": completed,
        "cpu_ms_per_order": round(sum(spent.values()), 3),
        "cpu_ms_per_order_by_process": spent,
        "others_used": others.share(sum(after.values()) - sum(before.values())),
    }
    found["complete"] = completed == accepted and not answers.refused
    return found


def percentile(waits: list[float], share: float) -> float | None:
    """Of sorted ones: the smallest that so many are not longer than."""
    return round(waits[max(0, -int(-share * len(waits) // 1) - 1)], 1) if waits else None


def _completed(client: Client, newest: int, orders: int) -> int:
    """How many of the orders placed after ``newest`` are completed in the end."""
    began = moved = time.monotonic()
    count, _ = client.ended(newest)
    while count < orders and time.monotonic() - moved < STUCK and time.monotonic() - began < LONGEST:
        time.sleep(POLL)
        before, (count, _) = count, client.ended(newest)
        if count > before:
            moved = time.monotonic()
    return count


def _cpu(groups: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(map(counters.cpu_seconds, pids)) for name, pids in groups.items()}


def sets_since(newest: int) -> int:
    """In how many transactions the orders after ``newest`` were placed: those of one have the same moment."""
    from orders.models import Order

    return Order.objects.filter(pk__gt=newest).values("placed_at").distinct().order_by().count()


def open_account() -> None:
    """Runs in the client's process, which knows the database."""
    from django.contrib.auth.models import User

    User.objects.create_user(**CUSTOMER)


def log_in(port: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/login/",
        json.dumps(CUSTOMER).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (an address of our own)
        return str(json.load(answer)["token"])


def arguments() -> argparse.Namespace:
    from django.conf import settings

    parser = argparse.ArgumentParser("python -m benchmarks.door", description=__doc__)
    parser.add_argument("--styles", metavar="NAME,…", default=",".join(settings.STYLES))
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of each load")
    parser.add_argument(
        "--rate", type=float, default=HALF_THE_GOAL, metavar="N", help="orders/s, second load"
    )
    parser.add_argument("--connections", type=int, default=CONNECTIONS, metavar="N")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    with own_servers() as servers:
        result: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": about.machine(servers.folder),
            "versions": about.versions(),
            "servers": servers.settings(),
            "plan": vars(options),
            "styles": {},
        }
        for style in options.styles.split(","):
            found = measure(servers, style, options.seconds, options.rate, options.connections)
            result["styles"][style] = found
            for name in ("full", "half"):
                print(_line(style, name, found[name]))
    results.write(RESULT, result)
    print(f"\nWritten to {RESULT.relative_to(ROOT)}")
    return 0 if all(map(is_good, result["styles"].values())) else 1


def is_good(found: Mapping[str, Any]) -> bool:
    """Whether nothing was refused, all was completed, and the audit is content."""
    return bool(found["full"]["complete"] and found["half"]["complete"] and found["audit"]["ok"])


def _line(style: str, name: str, found: Mapping[str, Any]) -> str:
    web, total = found["cpu_ms_per_order_by_process"]["web"], found["cpu_ms_per_order"]
    return (
        f"{style}, {name} load: {found['accepted_per_s']:,} accepted/s, p50 {found['p50_ms']} ms, "
        f"p99 {found['p99_ms']} ms, CPU {total} ms an order (web {web}), "
        f"completed {found['ended']:,} of {found['accepted']:,}"
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    sys.exit(main())
