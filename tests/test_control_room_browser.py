"""The control room in a real browser: wide and narrow, its charts, and that it moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from orders.models import Order, Saga, TimelineEntry
from orders.process import PROCESS
from shop.web.control.numbers import shared
from tests.test_admin_browser import PASSWORD, browsing

WIDTHS = (390, 1280, 1440)
CHARTS = 5
IN_FLIGHT = ".cards .card:nth-child(2) .figure strong"
FITS = "[document.documentElement.scrollWidth, innerWidth]"
CUT_OFF = """() => [...document.querySelectorAll("#content-main *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width && !element.closest(".wide, .uplot") && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => element.outerHTML.slice(0, 80))"""
DRAWN = """() => [...document.querySelectorAll("#live canvas")].filter((canvas) => {
    const empty = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    return canvas.clientWidth > 80 && canvas.clientHeight > 30 && canvas.toDataURL() !== empty.toDataURL();
}).length"""


@pytest.fixture(autouse=True)
def fresh_numbers() -> Iterator[None]:
    shared.forget()
    yield
    shared.forget()


def place(number: int, **values: Any) -> Order:
    now = timezone.now()
    given = {
        "customer_id": number,
        "style": settings.STYLES[number % 2],
        "currency": "GBP",
        "total_minor": 500,
    }
    given |= {"idempotency_key": str(number), "placed_at": now, **values}
    order = Order.objects.create(**given)
    Saga.objects.create(order=order, step="placed", moved_at=now, deadline=now + timedelta(hours=1))
    return order


def ended_slowly(number: int) -> None:
    """An order that a worker that stood still kept waiting for minutes: such times are the widest that are shown."""
    order = place(number, placed_at=timezone.now() - timedelta(minutes=14))
    Saga.objects.filter(order=order).update(state=Saga.State.ENDED)
    cause = None
    for step, after in zip(PROCESS[:3], (0, 10, 820), strict=True):
        told = TimelineEntry.objects.create(
            order=order,
            event_id=uuid4(),
            at=order.placed_at + timedelta(seconds=after),
            service=step.service,
            event=step.done.__name__,
            kind="forward",
            text=step.words,
            cause=cause,
        )
        cause = told.event_id


def until_drawn(page: Page) -> None:
    for _ in range(100):
        if page.evaluate(DRAWN) == CHARTS:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{page.evaluate(DRAWN)} of {CHARTS} charts are drawn.")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_it_fits_it_is_drawn_and_it_moves_without_being_loaded_again(
    live_server: LiveServer, tmp_path: Path
) -> None:
    get_user_model().objects.create_superuser("ada", password=PASSWORD)
    place(1)
    for number in (3, 4):  # one in each style
        ended_slowly(number)
    complaints: list[str] = []
    hosts: set[str] = set()
    with browsing(live_server.url, "light", complaints) as page:
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{live_server.url}/admin/")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            until_drawn(page)
            needed, there = page.evaluate(FITS)
            assert needed <= there == width
            assert page.evaluate(CUT_OFF) == []
            page.screenshot(path=tmp_path / f"control-{width}.png", full_page=True)
        page.evaluate("window.loadedOnce = true")
        page.click("#minutes summary")
        in_flight = page.locator(IN_FLIGHT)
        assert in_flight.inner_text() == "1"
        with ThreadPoolExecutor(1) as elsewhere:  # where the browser's event loop is, Django asks nothing
            elsewhere.submit(place, 2).result()
            elsewhere.submit(connections.close_all).result()
        page.wait_for_selector(f"{IN_FLIGHT} >> text=2")
        assert page.evaluate("window.loadedOnce")
        assert page.evaluate("document.getElementById('minutes').open")  # it stays as it was
        until_drawn(page)
        in_flight.locator("a").click()
        page.wait_for_url("**/admin/orders/order/?saga__state__in=*")
    assert complaints == []
    assert hosts == {live_server.url.split("/")[2]}
