"""Measures a running, quiet shop: `python benchmarks/measure.py [N]` beside `make run`.

Prints the time from placed to ended of N orders (default 30) placed one at a time in each style, and the memory of all
processes (PSS: shared pages are counted once).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PATIENCE = 30.0  # s for one order


def idle(style: str, orders: int) -> list[float]:
    """Seconds from placed to ended, order by order, each placed when the one before has ended."""
    from orders.lookups import DeliveryAddress
    from orders.models import Order
    from orders.placement import Placed, PlaceOrder, WantedLine, place_orders

    times: list[float] = []
    for _ in range(orders):
        (answer,) = place_orders(
            [
                PlaceOrder(
                    customer_id=0,
                    idempotency_key=uuid4().hex,
                    lines=[WantedLine("MUG-RED", 1), WantedLine("LAMP-DESK", 1)],
                    currency="GBP",
                    payment_method="pm_card_approved",
                    email="bench@example.invalid",
                    address=DeliveryAddress(
                        name="Bench", line1="1 St", city="London", postcode="N1", country="GB"
                    ),
                    style=style,
                )
            ]
        )
        if not isinstance(answer, Placed):
            sys.exit(
                f"The order was not accepted: {answer}. Is this the demo catalogue (make run, then seed)?"
            )
        deadline = time.monotonic() + PATIENCE
        while not (order := Order.objects.get(pk=answer.order.pk)).ended_at:
            if time.monotonic() > deadline:
                sys.exit(f"{order.number} has not ended after {PATIENCE:g} s.")
            time.sleep(0.002)
        if order.status != Order.Status.COMPLETED:
            sys.exit(f"{order.number} was {order.status}: {order.saga.reason}.")
        times.append((order.ended_at - order.placed_at).total_seconds())
        time.sleep(0.1)
    return times


def memory() -> tuple[int, float]:
    """(processes, MiB) of everything `up` runs, children included."""
    import psutil

    data = Path(os.environ["SHOP_DATA"])
    total, count = 0, 0
    for row in json.loads((data / "pids.json").read_text())["children"]:
        process = psutil.Process(row["pid"])
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().pss
            count += 1
    return count, total / 2**20


def main() -> None:
    from shop.tools.up.running import use_the_running_shop

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    use_the_running_shop(ROOT / ".data")
    import django

    django.setup()
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    from django.conf import settings

    for style in settings.STYLES:
        idle(style, 3)  # first calls connect and compile
        times = sorted(1000 * seconds for seconds in idle(style, orders))
        print(
            f"{style}: placed to ended, idle: median {statistics.median(times):.0f} ms, "
            f"lowest {times[0]:.0f} ms, 95th percentile {times[int(len(times) * 0.95) - 1]:.0f} ms ({orders} orders)"
        )
    count, mebibytes = memory()
    print(f"memory: {mebibytes:.0f} MiB in {count} processes (PSS)")


if __name__ == "__main__":
    main()
