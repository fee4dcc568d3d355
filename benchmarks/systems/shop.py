"""The shop itself, with its real processes, in each of its two styles: what is compared with all the others."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from benchmarks.client import Client
from benchmarks.servers import Servers
from benchmarks.steps import PRODUCTS
from benchmarks.systems.base import POLL, READY_WITHIN, ROOT, System

AT_ONCE = 50  # orders that a client places in one call
WAREHOUSE = "ONE"
UNITS = 1_000_000
CUSTOMER = 1
TEMPLATE = "shop_template"


@dataclass(frozen=True)
class Providers:
    """Who takes the payments and the parcels. ``card``, ``postcode``: what the sandboxes know slowness by."""

    env: Mapping[str, str]
    card: str = "pm_card_approved"
    postcode: str = "N1"
    fewest: int = 1000


IN_PROCESS = Providers(
    {
        "PAYMENTS_GATEWAY": "benchmarks.providers.AtOnceGateway",
        "CARRIER": "benchmarks.providers.AtOnceCarrier",
    }
)
SANDBOXES = Providers({})
SLOW_SANDBOXES = Providers({"SANDBOX_SLOW_SECONDS": "0.2"}, "pm_card_slow", "SLOW 1", fewest=300)


def two_at_random() -> list[int]:
    """The products of an order, by their numbers."""
    return random.sample(range(PRODUCTS), 2)


class Shop(System):
    """``style``: one of settings.STYLES. ``wanted``: called for each order, the numbers of the products in it."""

    def __init__(
        self,
        servers: Servers,
        name: str,
        style: str,
        providers: Providers = IN_PROCESS,
        wanted: Callable[[], list[int]] = two_at_random,
    ) -> None:
        super().__init__(servers)
        self.name, self.fewest = name, providers.fewest
        self.door = partial(ShopDoor, style, providers.card, providers.postcode, wanted)
        self.audit: Callable[[], dict[str, Any]] = audit
        self._style, self._providers = style, providers

    def prepare(self) -> None:
        """A template with all tables and 1,000 products, each with lots of stock in the one warehouse."""
        if self.servers.has(TEMPLATE):
            return
        self.servers.make(TEMPLATE)
        env = self.environment(TEMPLATE)
        migrate = (sys.executable, "manage.py", "migrate", "-v", "0")
        subprocess.run(migrate, cwd=ROOT, env={**os.environ, **env}, check=True, timeout=120)
        with Client(self.door, env) as client:
            client.run(fill_shelves)
        self.servers.tell("VACUUM ANALYZE", TEMPLATE)

    def start(self) -> None:
        from shop.tools.up.stack import Stack

        self.make_database()
        self.servers.quiet()
        # A new one for each repetition: the providers' books are in it, and the database is new, too.
        data = Path(mkdtemp(prefix=f"{self.name}-", dir=self.servers.folder))
        self._stack = Stack(self.environment(self.database), data)
        self.env = self._stack.env
        self._stack.start()
        self._stack.wait_ready(READY_WITHIN)

    def make_database(self) -> None:
        self.servers.make(self.database, template=TEMPLATE)

    def drop_database(self) -> None:
        self.servers.drop(self.database)

    def found(self) -> dict[str, Any]:
        """What else there is to tell of a measured run, while it is still there."""
        return {}

    def groups(self) -> Mapping[str, list[int]]:
        pids = self._stack.pids()
        return {
            "workers": [pid for name, pid in pids.items() if name.startswith("worker")],
            "relay": [pids[name] for name in pids if name.startswith("relay")],
            "webhooks": [pids["webhooks"]],
            "sandboxes": [
                pids[name] for name in pids if not name.startswith(("worker", "relay", "webhooks"))
            ],
        }

    def stop(self) -> None:
        self._stack.stop()
        self.drop_database()

    def environment(self, database: str) -> dict[str, str]:
        return {
            **{name: "" for name in os.environ if name.endswith("_DATABASE_URL")},  # all apps share one
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": self.servers.url(database),
            "REDIS_URL": self.servers.redis.url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FULFILLMENT_STYLE": self._style,
            **self._providers.env,
        }


class ShopDoor:
    """Places orders through the shop's own front door."""

    def __init__(self, style: str, card: str, postcode: str, wanted: Callable[[], list[int]]) -> None:
        import django

        django.setup()
        from orders.lookups import DeliveryAddress
        from orders.models import Order
        from shop.messaging.journal import logger

        logger.setLevel("WARNING")  # the shop's own processes write a line for each event, not this one

        self._orders = Order
        self._style, self._card, self._wanted = style, card, wanted
        self._address = DeliveryAddress(
            name="Ada Byron", line1="12 St James's Sq", city="London", postcode=postcode, country="GB"
        )

    def place(self, orders: int) -> None:
        while orders > 0:
            self._place_some(min(orders, AT_ONCE))
            orders -= AT_ONCE

    def last(self) -> int:
        newest = self._orders.objects.order_by("-pk").values_list("pk", flat=True).first()
        return newest or 0

    def ended(self, after: int) -> tuple[int, float]:
        from django.db.models import Count, Max

        done = self._orders.objects.filter(
            pk__gt=after, ended_at__isnull=False, status=self._orders.Status.COMPLETED
        ).aggregate(count=Count("pk"), last=Max("ended_at"))
        return done["count"], done["last"].timestamp() if done["last"] else 0.0

    def lone(self, patience: float) -> float:
        """From the order's own times."""
        (order,) = self._place_some(1)
        deadline = time.monotonic() + patience
        while not order.ended_at:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{order.number} has not ended after {patience:g} s.")
            time.sleep(POLL)
            order.refresh_from_db()
        return float((order.ended_at - order.placed_at).total_seconds())

    def close(self) -> None:
        """Nothing to let go of."""

    def _place_some(self, orders: int) -> list[Any]:
        from orders.placement import Placed, PlaceOrder, WantedLine, place_orders

        answers = place_orders(
            [
                PlaceOrder(
                    customer_id=CUSTOMER,
                    idempotency_key=uuid4().hex,
                    lines=[WantedLine(sku(number), 1) for number in self._wanted()],
                    currency="GBP",
                    payment_method=self._card,
                    email="ada@example.invalid",
                    address=self._address,
                    style=self._style,
                )
                for _ in range(orders)
            ]
        )
        placed = [answer.order for answer in answers if isinstance(answer, Placed)]
        if len(placed) < orders:
            raise RuntimeError(f"Some orders were not accepted: {answers}")
        return placed


def sku(number: int) -> str:
    return f"P-{number:04}"


def fill_shelves() -> None:
    from inventory.models import Product, Warehouse
    from inventory.services import Delivery, receive_stock

    Warehouse.objects.create(code=WAREHOUSE, name="The warehouse")
    Product.objects.bulk_create(
        Product(sku=sku(number), name=f"Product {number}", price_minor=500) for number in range(PRODUCTS)
    )
    receive_stock([Delivery(sku(number), WAREHOUSE, UNITS) for number in range(PRODUCTS)])


def audit(*arguments: str) -> dict[str, Any]:
    """What `manage.py audit` says, in a client's process."""
    from django.core.management import call_command

    out = StringIO()
    with suppress(SystemExit):  # it is not content, and says why
        call_command("audit", "--json", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found
