"""What staff press on an order's page, in a real browser, on a phone and a screen: nothing is cut off, all is legible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from orders.models import Order, Saga
from payments.models import Inbox
from tests.test_admin_browser import browsing, contrast
from tests.test_admin_browser import order as order  # the fixture: parked at its refund

WIDTHS = {390: "dark", 1280: "light"}


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_parked_order_is_tried_again_after_a_dry_run_and_gets_a_note(
    live_server: LiveServer, order: Order, tmp_path: Path, width: int
) -> None:
    complaints: list[str] = []
    with browsing(live_server.url, WIDTHS[width], complaints) as page:  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}/admin/orders/order/{order.pk}/change/")
        buttons = page.locator(".buttons .act")
        pressed = buttons.all_inner_texts()
        _can_be_read(page, ".buttons .act")
        buttons.first.click()
        dry_run = page.locator(".forecast tbody").inner_text()
        _can_be_read(page, ".act, .forecast td, .forecast p")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=tmp_path / "dry-run.png")
        page.click("text=Try again now")
        page.fill("#note-text", "The customer waits for the refund.")
        page.click("text=Write note")
        page.wait_for_selector("text=The note is written.")
        acts = page.locator(".acts li").all_inner_texts()
        _can_be_read(page, ".acts p, .acts time, .act")
        page.screenshot(path=tmp_path / "order.png", full_page=True)
    assert pressed == ["Try again: refund payment…", "Resume now", "Note"]
    assert "payments: refund payment" in dry_run
    assert [re.sub(r"\s+", " ", act).partition(" UTC ")[2] for act in acts] == [
        "The customer waits for the refund.",
        "Tried again: refund payment.",
    ]
    assert (Inbox.objects.get().state, Saga.objects.get().state) == ("failing", "running")
    assert complaints == []


def _can_be_read(page: Page, which: str) -> None:
    """All of these are within the window, and their colours apart."""
    found = page.eval_on_selector_all(
        which,
        """all => all.map(e => {
            let ground = e, box = e.getBoundingClientRect();
            while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
            const inside = Math.max(box.right, box.left + e.scrollWidth) <= innerWidth;
            return [e.innerText, getComputedStyle(e).color, getComputedStyle(ground).backgroundColor, inside];
        })""",
    )
    assert found
    for text, colour, ground, inside in found:
        assert inside, text
        assert contrast(colour, ground) >= 4.5, (text, colour, ground)
