"""The README's pictures, taken from the running product: `make pictures`. It takes Chromium, and half a minute.

One order meets a payment provider that is away for a while, another is refused by the carrier when it is already paid.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.demo import Api, place
from tests.test_admin_browser import browser_path, log_in
from tests.test_up import Up, two_free_ports

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDE = 1280  # px
HIGH = 640  # of an order's page: its sentence and its drawing
PATIENCE = 60.0  # s


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
    page.wait_for_selector(".drawing")
    page.screenshot(path=DOCS / picture, clip={"x": 0, "y": 0, "width": WIDE, "height": HIGH}, full_page=True)


def take_all() -> None:
    with scratch_folder() as parent:
        port, data = two_free_ports(), parent / "data"
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
                browser.close()
        finally:
            up.end()
