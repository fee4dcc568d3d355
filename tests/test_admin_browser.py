"""The admin in a real browser: that its pages look right is for people; that no script or style breaks is said here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from notifications.models import Mail
from orders.models import Order, OrderLine, Saga, TimelineEntry
from payments.models import Inbox

PASSWORD = uuid4().hex
Theme = Literal["light", "dark"]

UNDONE = [
    (1, "orders", "OrderCreated", "forward", "placed: 2 lines, GBP 25.00, choreography"),
    (14, "inventory", "InventoryReserved", "forward", "stock set aside in NORTH, SOUTH"),
    (
        31,
        "payments",
        "StepFailed",
        "trouble",
        "payments.take_payment failed, to be tried again: no answer",
    ),
    (1203, "payments", "PaymentProcessed", "forward", "charged GBP 25.00"),
    (1220, "shipping", "ParcelsLabelled", "forward", "labels for the parcels from NORTH: SB1, SOUTH: SB2"),
    (1250, "orders", "CancellationRequested", "undo", "cancellation requested by customer"),
    (1274, "shipping", "ShippingStopped", "undo", "held back from the carrier, 2 labels void"),
    (64000, "orders", "OrderStalled", "trouble", "no progress since 'stopped'; taken up again, attempt 1"),
]


def browser_path() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("There is no Chromium, and CI must run the browser tests.")
    return found or pytest.skip("There is no Chromium on this computer.")


@pytest.fixture
def order() -> Order:
    """Being undone, and stuck at the refund."""
    get_user_model().objects.create_superuser("ada", password=PASSWORD)
    placed = timezone.now() - timedelta(minutes=3)
    order = Order.objects.create(
        customer_id=1,
        style="choreography",
        status="cancelling",
        currency="GBP",
        total_minor=2500,
        payment_method="pm_card_approved",
        email="ada@example.invalid",
        name="Ada Byron",
        line1="12 St James's Sq",
        city="London",
        postcode="SW1Y",
        country="GB",
        idempotency_key="k",
        request_digest="d",
        placed_at=placed,
    )
    Saga.objects.create(
        order=order,
        state="parked",
        step="paid",
        undo="stopped",
        attempt=20,
        moved_at=placed + timedelta(seconds=2),
        last_error="payments.refund_payment: the provider does not answer",
        reason="cancelled by customer",
    )
    for sku, name, quantity in (("MUG-RED", "Red mug", 4), ("TEA-EARL", "Earl Grey, 250 g", 1)):
        OrderLine.objects.create(order=order, sku=sku, name=name, quantity=quantity, price_minor=500)
    for ms, service, event, kind, text in UNDONE:
        at = placed + timedelta(milliseconds=ms)
        TimelineEntry.objects.create(
            order=order, event_id=uuid4(), at=at, service=service, event=event, kind=kind, text=text
        )
    Inbox.objects.create(
        event_id=uuid4(),
        receiver="payments.refund_payment",
        type="ShippingStopped",
        order_id=order.uuid,
        number=order.number,
        state="parked",
        attempts=20,
        error="the provider does not answer",
        payload={"at": "noon"},
    )
    Mail.objects.create(
        message_id="<1@shop>",
        to="ada@example.invalid",
        subject="Your order",
        text="Hello",
        html="<p>Hello</p><script>parent.document.title = 'stolen'</script>",
    )
    return order


def log_in(page: Page, base: str, username: str, password: str) -> None:
    page.goto(f"{base}/admin/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_selector("#user-tools")


@contextmanager
def browsing(base: str, theme: Theme, complaints: list[str]) -> Iterator[Page]:
    """A page, logged in; what the browser complains of is collected."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        context = browser.new_context(color_scheme=theme, viewport={"width": 1400, "height": 900})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        log_in(page, base, "ada", PASSWORD)
        yield page
        browser.close()


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_orders_page_shows_its_way_there_and_back_without_a_complaint_of_the_browser(
    live_server: LiveServer, order: Order, tmp_path: Path, theme: Theme
) -> None:
    complaints: list[str] = []
    with browsing(live_server.url, theme, complaints) as page:
        page.goto(f"{live_server.url}/admin/orders/order/?q={order.number}")
        page.screenshot(path=tmp_path / "list.png")
        page.click(f"#result_list >> text={order.number}")
        page.wait_for_selector(".timeline")
        ways = page.locator(".timeline .way").all_inner_texts()
        why = page.locator(".why").inner_text()
        colours = {kind: _colour(page, kind) for kind in ("forward", "undo", "trouble")}
        page.screenshot(path=tmp_path / "order.png", full_page=True)
        page.goto(f"{live_server.url}/admin/inventory/stock/receive/")
        page.screenshot(path=tmp_path / "receive.png")
    assert ways == [
        *({"forward": "→ forward", "undo": "← undo", "trouble": "! trouble"}[row[3]] for row in UNDONE[:-1]),
        *["↻ again", *["… ahead"] * 4],
    ]
    assert "payments.refund_payment failed on ShippingStopped, 20 times" in why
    assert len({colour for colour, _ in colours.values()}) == 3
    for colour, background in colours.values():
        assert contrast(colour, background) >= 4.5
    assert complaints == []


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_steps_are_gone_through_by_click_and_by_key_without_loading_the_page_anew(
    live_server: LiveServer, order: Order
) -> None:
    complaints: list[str] = []
    with browsing(live_server.url, "light", complaints) as page:
        page.goto(f"{live_server.url}/admin/orders/order/{order.pk}/change/")
        page.evaluate("window.same = true")
        page.click(".drawing a:has-text('paid · 2 attempts')")
        page.wait_for_selector("#step >> text=Step 3 of 7: payments, paid")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#step >> text=Step 4 of 7: shipping, labelled")
        believed = page.locator(".beliefs tr.fresh").all_inner_texts()
        chosen = page.locator(".drawing .chosen").all_inner_texts()
        page.keyboard.press("Escape")
        page.wait_for_selector("#step", state="detached")
        same, where = page.evaluate("window.same"), page.url
        page.go_back()
        page.wait_for_selector("#step >> text=Step 4 of 7: shipping, labelled")
        page.set_viewport_size({"width": 390, "height": 800})
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert [text.split()[0] for text in believed] == ["shipping"]
    assert len(chosen) == 1
    assert (same, where.endswith("/change/?")) == (True, True)
    assert too_wide <= 0
    assert complaints == []


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_script_in_a_mail_does_not_run_when_the_mail_is_read(live_server: LiveServer, order: Order) -> None:
    complaints: list[str] = []
    mail = Mail.objects.get()
    with browsing(live_server.url, "light", complaints) as page:
        page.goto(f"{live_server.url}/admin/notifications/mail/{mail.pk}/change/")
        page.frame_locator("iframe").locator("text=Hello").wait_for()
        title = page.title()
    assert "stolen" not in title


def _colour(page: Page, kind: str) -> tuple[Any, Any]:
    found = page.locator(f".timeline .{kind} .way span").first.evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    )
    return found[0], found[1]


def contrast(one: str, other: str) -> float:
    """The WCAG contrast of two colours as a browser computes them, ``rgb(1, 2, 3)``."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
