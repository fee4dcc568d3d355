"""The storefront in a real browser, on a running shop: orders that move to their end while the customer looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, sync_playwright

from notifications.models import Mail
from orders.models import Order
from shipping.models import Parcel
from tests.live import Live
from tests.stack import LiveStack
from tests.test_admin_browser import browser_path
from tests.web import Web, running_web

PATIENCE = 30_000  # ms
FIRST, *_ = settings.STYLES
ADDRESS = {"name": "Ada Byron", "line1": "12 St James's Sq", "postcode": "SW1Y", "city": "London"}
WIDTHS = (390, 1280, 1440)
OUTSIDE = """
() => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  const seen = box.width > 1 && !e.closest(".hidden, .skip");
  const cut = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible" && !e.matches("input");
  return seen && (box.right > innerWidth + 1 || box.left < -1 || cut);
}).map((e) => e.outerHTML.slice(0, 120))
"""


@pytest.fixture(scope="module")
def web(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with running_web(stack.env, tmp_path_factory.mktemp("web")) as web:
        yield web


@pytest.fixture
def browser(live: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setenv(
        "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
    )  # playwright's loop is not one that the database holds up
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, web: Web) -> Iterator[Callable[..., Page]]:
    """Opens the shop window as somebody new. At the end: no browser complained, none asked another host."""
    complaints: list[str] = []

    def opened(**more: Any) -> Page:
        context = browser.new_context(base_url=web.url, viewport={"width": 1280, "height": 900}, **more)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith(web.url) else complaints.append(asked.url)
        )
        page.goto("/")
        return page

    yield opened
    assert [text for text in complaints if not re.search(r"status of (404|422)", text)] == []


def fill_basket(page: Page, skus: tuple[str, ...]) -> None:
    for sku in skus:
        page.goto(f"/products/{sku}/")
        page.click("text=Add to basket")


def buy(page: Page, skus: tuple[str, ...], card: str = "approved", style: str = FIRST) -> Order:
    """Through basket and checkout; leads to the order's page."""
    fill_basket(page, skus)
    page.click("text=Checkout")
    for name, value in ADDRESS.items():
        page.fill(f"[name={name}]", value)
    page.fill("[name=email]", "ada@example.com")
    page.check(f"[value=pm_card_{card}]")
    page.select_option("[name=style]", style)
    page.click("text=Place order")
    page.wait_for_url("**/orders/*/")
    return Order.objects.get(uuid=page.url.split("/")[-2])


@contextmanager
def without_reloading(page: Page) -> Iterator[None]:
    page.wait_for_selector(".live-dot >> text=live")
    page.evaluate("window.stays = true")
    yield
    assert page.evaluate("window.stays")


def wait_for_pill(page: Page, words: str) -> None:
    page.wait_for_selector(f".why .pill:text-is('{words}')")


@pytest.mark.parametrize("style", settings.STYLES)
def test_a_guest_buys_and_watches_the_order_until_it_is_on_its_way(
    live: Live, visit: Callable[..., Page], style: str
) -> None:
    page = visit()
    with live.stack.halted("payments"):
        order = buy(page, live.products(), style=style)
        page.wait_for_selector(".is-now >> text=Paid")
        with without_reloading(page):
            live.wait_for(lambda: order.style == style, "the style was chosen")
    with without_reloading(page):
        wait_for_pill(page, "Completed")
    titles = page.locator(".stages .title").all_inner_texts()
    assert titles == ["Placed", "Reserved", "Paid", "Packed", "On its way", "Mail sent", "Completed"]
    numbers = sorted(Parcel.objects.filter(shipment=order.uuid).values_list("tracking", flat=True))
    assert sorted(page.locator(".parcels code").all_inner_texts()) == numbers
    assert len(numbers) == 2
    live.wait_until_ended([order])
    (mail,) = Mail.objects.filter(subject__contains=order.number)
    assert all(number in mail.text for number in numbers)
    (path,) = re.findall(r"Your order: http://[^/]+(/track/\S+/)\n", mail.text)
    elsewhere = visit()
    elsewhere.goto(path)
    assert elsewhere.locator("h1").inner_text().startswith(f"Order {order.number}")
    wait_for_pill(elsewhere, "Completed")


def test_a_customer_cancels_and_sees_it_undone(live: Live, visit: Callable[..., Page]) -> None:
    page, skus = visit(), live.products(10)
    with live.stack.halted("payments"):
        order = buy(page, skus)
        page.wait_for_selector(".is-now >> text=Paid")
        page.click("text=Cancel the order")
        page.click("text=Yes, cancel it")
        wait_for_pill(page, "Being cancelled")
        page.wait_for_selector(".live-dot >> text=live")
    wait_for_pill(page, "Cancelled")
    assert "You cancelled it." in page.inner_text(".why")
    live.wait_until_ended([order])
    assert live.traces(order).charged_minor == 0
    assert [live.stock(sku) for sku in skus] == [(10, 0), (10, 0)]


def test_who_is_declined_reads_why_and_orders_again(live: Live, visit: Callable[..., Page]) -> None:
    page = visit()
    order = buy(page, live.products(), card="declined")
    wait_for_pill(page, "Cancelled")
    assert "The card was declined.\nNothing was charged. You can order again" in re.sub(
        r"\n+", "\n", page.inner_text(".why")
    )
    assert page.locator(".stages .title").all_inner_texts() == [
        "Placed", "Reserved", "Payment refused", "Products put back", "Cancelled", "Mail sent",
    ]  # fmt: skip
    page.click("text=Put it into the basket again")
    assert page.locator(".total .num").inner_text() == order.total


def test_the_whole_purchase_by_keyboard_alone(live: Live, visit: Callable[..., Page]) -> None:
    sku, _ = live.products()
    page = visit()

    def tab_to(what: str) -> None:
        """On to what is named so, as a screen reader names it."""
        for _ in range(80):
            page.keyboard.press("Tab")
            name = page.evaluate(
                "() => { const e = document.activeElement; return e.labels?.[0]?.innerText || e.innerText }"
            )
            if what in (name or "").replace("\n", " "):
                return
        raise AssertionError(f"No Tab leads to {what!r}.")

    def enter() -> None:
        with page.expect_navigation():
            page.keyboard.press("Enter")

    tab_to("Search products")
    page.keyboard.type(sku)
    enter()
    tab_to(f"Product {sku}")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    enter()
    tab_to("Add to basket")
    enter()
    tab_to("Checkout")
    enter()
    for label, text in (("Name", "Ada"), ("Street", "1 Street"), ("Postcode", "N1"), ("Town", "London")):
        tab_to(label)
        page.keyboard.type(text)
    tab_to("Email")
    page.keyboard.type("ada@example.com")
    tab_to("Visa test card")
    page.keyboard.press("ArrowDown")
    tab_to("Place order")
    enter()
    wait_for_pill(page, "Cancelled")
    assert "The card was declined." in page.inner_text(".why")


def test_without_javascript_everything_works_but_what_is_live(live: Live, visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    order = buy(page, live.products())
    live.wait_until_ended([order])
    page.reload()
    wait_for_pill(page, "Completed")


def test_every_page_is_for_everybody_and_whole_on_each_screen(
    live: Live, visit: Callable[..., Page], tmp_path: Path
) -> None:
    """axe finds nothing, light or dark; nothing is cut off or sticks out, on a phone or a wide screen."""
    skus = live.products()
    page = visit()
    refused, done = buy(page, skus, card="declined"), buy(page, skus)
    live.wait_until_ended([refused, done])
    staff = get_user_model().objects.create_superuser(f"staff-{done.pk}", password=done.uuid.hex)
    fill_basket(page, skus)
    page.goto("/checkout/")
    page.locator("form.two").evaluate("form => { form.noValidate = true; form.requestSubmit() }")
    page.wait_for_selector(".errorlist")
    with live.stack.halted("payments"):
        waiting = buy(visit(), skus)
        found = look_at(page, "checkout with errors", tmp_path)
        nobody = visit()
        nobody.goto("/checkout/")
        found += look_at(nobody, "a message", tmp_path)
        for address in ADDRESSES:
            page.goto(address.format(sku=skus[0], refused=refused.uuid, done=done.uuid))
            found += look_at(page, address, tmp_path)
        page.goto("/account/login/")
        page.fill("[name=username]", staff.get_username())
        page.fill("[name=password]", done.uuid.hex)
        page.click("main button")
        page.goto(f"/orders/{waiting.uuid}/")
        assert page.locator(".staff >> text=page for staff").count() == 1
        found += look_at(page, "waiting, seen by staff", tmp_path)
    live.wait_until_ended([waiting])
    assert found == []


ADDRESSES = (
    "/", "/?q=product", "/?q=nothing+is+called+so", "/products/{sku}/", "/basket/", "/checkout/", "/orders/",
    "/orders/{refused}/", "/orders/{done}/", "/orders/{done}/cancel/", "/account/login/", "/account/join/", "/none/",
)  # fmt: skip


def look_at(page: Page, name: str, folder: Path) -> list[str]:
    """What is wrong with the page; if something is, a picture of it is in the folder."""
    found = []
    results = Axe().run(page)
    if results.violations_count:
        found.append(f"{name}: {results.generate_report()}")
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("axe.run({runOnly: ['color-contrast']}).then((found) => found.violations)")
    found += [f"{name}, dark: {violation}" for violation in dark]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{name}, {width}: {html}" for html in page.evaluate(OUTSIDE)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name} is wider than {width}.")
    if found:
        page.screenshot(path=folder / f"{re.sub(r'[^a-z]+', '-', name)}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found
