"""The map in a real browser: nothing is cut off, it refreshes by itself, and no script or style breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from payments.models import Inbox
from shop.messaging.ids import uuid7
from tests.test_admin_browser import PASSWORD, browsing

CUT_OFF = """() => [...document.querySelectorAll(".map *")].filter(e => e.checkVisibility() &&
    (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)).map(e => e.outerHTML)"""
OVERLAPPING = """() => [...document.querySelectorAll(".drawn .edge")].filter(e => {
    const [name, ...others] = [".name", ".rate", ".troubles"].map(c => e.querySelector(c)).filter(Boolean)
        .map(t => t.getBoundingClientRect());
    return others.some(other => other.left < name.right);
}).map(e => e.textContent)"""


def park_one() -> None:
    Inbox.objects.create(
        event_id=uuid7(),
        receiver="payments.take_payment",
        type="InventoryReserved",
        number="S-1",
        order_id=uuid7(),
        state="parked",
    )
    connections.close_all()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_map_is_whole_at_each_width_and_refreshes_by_itself(live_server: LiveServer) -> None:
    get_user_model().objects.create_superuser("ada", password=PASSWORD)
    complaints: list[str] = []
    with browsing(live_server.url, "dark", complaints) as page:
        page.goto(f"{live_server.url}/admin/map/")
        for width in (390, 1280, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(CUT_OFF) == [], width
            assert page.locator(".map .drawn").first.is_visible() == (width > 390)
            assert page.locator(".map .edges").first.is_visible() == (width == 390)  # else it is folded
            assert page.evaluate(OVERLAPPING) == [], width
        for folded in page.locator(".listed summary").all():
            folded.click()
        assert page.evaluate(CUT_OFF) == []
        assert page.locator("text=1 parked").count() == 0
        with ThreadPoolExecutor(
            1
        ) as beside:  # Playwright's thread has a loop, in which Django asks no database
            beside.submit(park_one).result()
        page.locator(".edges >> text=1 parked").first.wait_for(timeout=20_000)
    assert complaints == []
