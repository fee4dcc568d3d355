"""The web process under clients that stay long or send slowly: 200 open streams, 300 half-sent bodies, and orders placed
meanwhile; and an order's page that moves to its end while a browser looks at it."""

from __future__ import annotations

import http.client
import json
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from operator import gt
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from knox.models import AuthToken
from playwright.sync_api import sync_playwright

from shop.base.live import MOST_OF_ONE
from shop.base.serving.pool import THREADS
from tests.live import ADDRESS, Live
from tests.test_admin_browser import browser_path
from tests.web import Web, request, running_web

STREAMS = 200
FIRST, *_ = settings.STYLES


@pytest.fixture
def web(live: Live, tmp_path: Path) -> Iterator[Web]:
    with running_web(live.stack.env, tmp_path) as web:
        yield web


def log_in() -> str:
    """The cookie of a member of staff who is logged in."""
    staff = get_user_model().objects.create_superuser(f"ada-{uuid4().hex[:8]}")
    client = Client()
    client.force_login(staff)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.fixture
def cookie(live: Live) -> str:
    return log_in()


def place(web: Web, skus: Sequence[str], orders: int) -> list[float]:
    """Place orders through the API, one after the other; the seconds that each took."""
    customer = get_user_model().objects.create_user(f"bob-{uuid4().hex[:8]}")
    _, token = AuthToken.objects.create(customer)
    body = {
        "lines": [{"sku": sku, "quantity": 1} for sku in skus],
        "payment_method": "pm_card_approved",
        "email": "bob@example.com",
        "address": {name: getattr(ADDRESS, name) for name in ADDRESS.__struct_fields__},
    }
    connection, took = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30), []
    for _ in range(orders):
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        began = time.monotonic()
        connection.request(
            "POST", "/api/v1/orders/", json.dumps(body), {**headers, "Idempotency-Key": uuid4().hex}
        )
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202
        took.append(time.monotonic() - began)
    connection.close()
    return took


class Listener(threading.Thread):
    """Reads streams until they end."""

    def __init__(self, streams: Sequence[socket.socket]) -> None:
        super().__init__()
        self._streams, self._got = streams, [b""] * len(streams)

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for number, stream in enumerate(self._streams):
                selector.register(stream, selectors.EVENT_READ, number)
            while selector.get_map():
                for key, _ in selector.select(1):
                    data = self._streams[key.data].recv(65536)
                    self._got[key.data] += data
                    if not data:
                        selector.unregister(key.fileobj)

    def heard(self) -> list[int]:
        """How many changes each stream has told of."""
        return [got.count(b"event: changed") for got in self._got]


def test_orders_are_placed_as_ever_while_200_streams_are_open_and_each_hears_of_its_order(
    live: Live, web: Web
) -> None:
    skus, cookies = live.products(1_000), [log_in() for _ in range(STREAMS // MOST_OF_ONE)]
    before = place(web, skus, 40)
    with ExitStack() as halted, ExitStack() as opened:
        halted.enter_context(live.stack.halted("payments"))
        watched = live.place(FIRST, skus, orders=10)
        asked = [
            request("GET", f"/admin/orders/order/{order.pk}/stream/", Cookie=cookie)
            for order in watched
            for cookie in cookies
        ]
        assert len(asked) == 80
        streams = [opened.enter_context(web.connect(asked[number % 80])) for number in range(STREAMS)]
        listener = Listener(streams)
        listener.start()
        # They brought no version, so each is told one at once.
        live.wait_for(lambda: min(listener.heard()) >= 1, "200 streams are open")
        during, threads = place(web, skus, 80), web.threads
        heard = listener.heard()
        halted.close()
        live.wait_until_ended(watched)
        live.wait_for(lambda: all(map(gt, listener.heard(), heard)), "each stream hears of its order")
        began = time.monotonic()
        web.child.stop()
        took = time.monotonic() - began
        listener.join(5)
        assert not listener.is_alive()
    assert took < 4, "streams are not waited for"
    # The event loop, and those there is one of: the look for all streams, admission, clearing, the tally.
    assert threads <= THREADS + 7
    assert statistics.median(during) < 3 * statistics.median(before) + 0.05


def test_health_is_told_and_orders_are_taken_while_300_clients_have_sent_half_a_body(
    live: Live, web: Web
) -> None:
    skus = live.products()
    half = request("POST", "/api/v1/login/", b'{"user', Content_Length="99", Content_Type="application/json")
    with ExitStack() as opened:
        for _ in range(300):
            opened.enter_context(web.connect(half))
        for path in ("/livez", "/readyz"):
            line, took = web.get(path)
            assert line == b"HTTP/1.1 200 OK"
            assert took < 1, path
        place(web, skus, 3)


def test_an_orders_page_moves_to_its_end_while_somebody_looks_at_it(
    live: Live, web: Web, cookie: str
) -> None:
    complaints: list[str] = []
    name, _, value = cookie.partition("=")
    skus = live.products()
    with ExitStack() as halted:
        halted.enter_context(live.stack.halted("payments"))
        (order,) = live.place(FIRST, skus)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": value, "url": web.url}])
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(f"{web.url}/admin/orders/order/{order.pk}/change/")
            page.wait_for_selector(".live-dot >> text=live")
            page.evaluate("window.stays = true")
            page.focus("#live a:text-is('Reserved stock')")
            halted.close()
            page.wait_for_selector("#live .pill >> text=completed")
            assert page.evaluate("window.stays")
            assert page.evaluate("document.activeElement.textContent") == "Reserved stock"
            browser.close()
    assert complaints == []
