"""The README's pictures, taken from the running product: `make pictures`. It takes Chromium, and two minutes.

One order meets a payment provider that is away for a while, another is refused by the carrier when it is already paid.
The control room and the map are taken while orders come in.
"""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

from playwright.sync_api import FloatRect, Page, sync_playwright

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.demo import Api, place
from tests.test_admin_browser import browser_path, log_in
from tests.test_up import Up, three_free_ports

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDE = 1280  # px
MARGIN = 24  # px, below what is shown last
PATIENCE = 60.0  # s
BUSY = 75.0  # s in which orders come in, so that the control room's flow has a shape
PLACES = {
    "control-room.png": ("/admin/", ".pair"),
    "map.png": ("/admin/map/?style=choreography", ".drawn"),
    "shop.png": ("/", ".tiles li:nth-child(5)"),
}  # picture: its address, and the first of what it is to show whole


def follow(api: Api, address: str) -> None:
    """Until the order is at its end, and its timeline too. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while api.call("GET", address)[0]["waiting"] is not None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{address} has not ended in {PATIENCE:g} s.")
        time.sleep(0.2)


def take(page: Page, base: str, number: str, picture: str) -> None:
    page.goto(f"{base}/admin/orders/order/?q={number}")
    page.click(f"#result_list >> text={number}")
    snap(page, picture, ".legend")


def snap(page: Page, picture: str, last: str) -> None:
    """The page from its top to the end of the first of ``last``."""
    page.wait_for_selector(last)
    page.wait_for_timeout(500)  # charts are drawn after the page
    box = page.locator(last).first.bounding_box()
    assert box is not None  # it is there
    clip = FloatRect(x=0, y=0, width=WIDE, height=box["y"] + box["height"] + MARGIN)
    page.screenshot(path=DOCS / picture, clip=clip, full_page=True)


def look(page: Page, base: str, picture: str) -> None:
    address, last = PLACES[picture]
    page.goto(base + address)
    snap(page, picture, last)


def keep_busy(api: Api) -> None:
    """Orders in both styles, some of them refused, faster and slower by turns."""
    end = time.monotonic() + BUSY
    for number in itertools.count():
        place(
            api,
            ("choreography", "orchestration")[number % 2],
            card="declined" if number % 11 == 5 else "approved",
            postcode="REFUSE 1" if number % 17 == 9 else "N1 1AA",
        )
        if time.monotonic() > end:
            return
        time.sleep(0.1 if number % 60 < 40 else 0.4)


def take_all() -> None:
    with scratch_folder() as parent:
        port, data = three_free_ports(), parent / "data"
        up = Up(data, port, "--no-demo")
        try:
            up.wait_for("until you press Ctrl-C", 150)
            secrets, base = json.loads((data / "secrets.json").read_text()), f"http://127.0.0.1:{port}"
            api = Api(base)
            api.login("demo", secrets["demo_password"])
            orders = {
                "order.png": place(api, "choreography", card="provider_down"),
                "order-cancelled.png": place(api, "choreography", postcode="REFUSE 1"),
            }
            for _, address in orders.values():
                follow(api, address)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": WIDE, "height": 900})
                log_in(page, base, "admin", secrets["admin_password"])
                for picture, (number, _) in orders.items():
                    take(page, base, number, picture)
                keep_busy(api)
                place(api, "choreography", card="provider_down")
                for picture in PLACES:
                    look(page, base, picture)
                browser.close()
        finally:
            up.end()
