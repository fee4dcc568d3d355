"""Two orders through the real API, one in each style, and their timelines as they grow."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

from orders.models import Order
from orders.process import ENDS
from shop.base.terminal import Part, Say

PATIENCE = 60.0  # s for both orders
EVERY = 0.1  # s between two looks
LEVELS = ("now", "undone")  # tell the orders apart
ENDED = {Order.Status.COMPLETED.value: "fine", Order.Status.CANCELLED.value: "undone"}
GRACE = 5.0  # s that an order's last timeline entry may come after its status
# The first is kept in one warehouse only and the second in the other: each order leaves in two parcels.
LINES = [
    {"sku": "MUG-RED", "quantity": 2},
    {"sku": "LAMP-DESK", "quantity": 1},
    {"sku": "TEA-EARL", "quantity": 3},
]


class DemoError(Exception):
    """A demo order could not be placed or followed; the text is one sentence."""


class Api:
    """The few calls the demo makes, past any proxy."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[dict[str, Any], str]:
        """The answer and its Location."""
        url = path if path.startswith("http") else self.base + path
        request = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})  # noqa: S310
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Token {self.token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with self._opener.open(request, timeout=10) as response:
                return json.loads(response.read() or b"{}"), response.headers.get("Location", "")
        except urllib.error.HTTPError as error:
            raise DemoError(f"{method} {path} was answered {error.code}: {_detail(error)}") from None
        except (OSError, ValueError) as error:
            raise DemoError(f"{method} {path} got no answer: {error}") from None

    def login(self, username: str, password: str) -> None:
        answer, _ = self.call("POST", "/api/v1/login/", {"username": username, "password": password})
        self.token = str(answer["token"])


@dataclass
class Followed:
    style: str
    level: str  # in which it is shown
    number: str
    address: str
    status: str = ""
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    ended_at: float = 0.0

    @property
    def told_whole(self) -> bool:
        """Whether it is at its end, and its timeline says so."""
        if self.status not in ENDS:
            return False
        told = any(event == ENDS[self.status].__name__ for _, event, _ in self.seen)
        return told or time.monotonic() - self.ended_at > GRACE


def place_and_follow(api: Api, styles: Sequence[str], say: Say, between: Callable[[], None]) -> bool:
    """True when all of the orders were completed in time. `between` is called between two looks."""
    begun = time.monotonic()
    orders = [
        Followed(style, level, *place(api, style))
        for style, level in zip(styles, cycle(LEVELS), strict=False)
    ]
    say("\nPlaced ", *_listed([(f"{order.number} by {order.style}", order.level) for order in orders]), ":")
    while True:
        for order in orders:
            _look(api, order, say, begun)
        if all(order.told_whole for order in orders):
            break
        if time.monotonic() - begun > PATIENCE:
            late = ", ".join(
                f"{order.number} is {order.status}" for order in orders if order.status not in ENDS
            )
            say(f"After {PATIENCE:g} s {late}: see the order in the admin. The shop stays up.")
            return False
        between()
        time.sleep(EVERY)
    for order in orders:
        say((f"{order.number} is {order.status}.", ENDED.get(order.status, "waiting")))
    return all(order.status == Order.Status.COMPLETED for order in orders)


def place(api: Api, style: str, *, card: str = "approved", postcode: str = "N1 1AA") -> tuple[str, str]:
    """The number and the address of a new order. ``card``, ``postcode``: what of it the sandboxes act on."""
    body = {
        "style": style,
        "currency": "GBP",
        "lines": LINES,
        "payment_method": f"pm_card_{card}",
        "email": "demo@example.com",
        "address": {
            "name": "Demo Customer",
            "line1": "1 Example Street",
            "city": "London",
            "postcode": postcode,
            "country": "GB",
        },
    }
    answer, location = api.call("POST", "/api/v1/orders/", body, Idempotency_Key=str(uuid4()))
    return str(answer.get("number", answer.get("id", ""))), location


def _listed(parts: Sequence[Part]) -> Iterator[Part]:
    for number, part in enumerate(parts):
        yield from (", ", part) if number else (part,)


def _look(api: Api, order: Followed, say: Say, begun: float) -> None:
    if order.told_whole:
        return
    status = str(api.call("GET", order.address)[0]["status"])
    for entry in api.call("GET", f"{order.address.rstrip('/')}/timeline/")[0]["results"]:
        key = (str(entry["at"]), str(entry["event"]), str(entry["text"]))
        if key not in order.seen:
            order.seen.add(key)
            passed = time.monotonic() - begun
            say(
                (f"  {passed:5.2f} s  ", "soft"),
                (f"{order.style:<13}", order.level),
                f"  {entry['service']:<13}  {entry['text']}",
            )
    if status in ENDS and order.status not in ENDS:
        order.ended_at = time.monotonic()
    order.status = status


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.loads(error.read())
        return str(problem.get("detail") or problem.get("title") or problem)[:300]
    except (ValueError, AttributeError, OSError):
        return str(error.reason)
