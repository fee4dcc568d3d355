"""Staff find orders that stand still, read why, and correct what the customer gave, in a browser: both go on before their
eyes, and nobody pays twice; nor if the process that corrects is killed meanwhile.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models.functions import Now
from playwright.sync_api import Page, sync_playwright

from orders.models import Order, Saga
from payments.models import Payment
from shipping.models import Inbox, Parcel
from shop.base.holds import FORGOTTEN_AFTER
from shop.tools.audit.run import audit
from tests.fresh import ROOT
from tests.live import Live
from tests.test_admin_browser import browser_path, log_in
from tests.web import running_web

pytestmark = pytest.mark.scenario


@contextmanager
def staff_browsing(base: str, complaints: list[str]) -> Iterator[Page]:
    name, password = uuid4().hex, uuid4().hex
    get_user_model().objects.create_superuser(name, password=password)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        log_in(page, base, name, password)
        yield page
        browser.close()


def correct_the_address(page: Page, base: str, order: Order) -> None:
    """From the control room to the order among those that wait for a person, and what its page says."""
    page.goto(f"{base}/admin/")
    page.locator(".kinds li", has_text="Waits for a person").locator("a").click()
    page.click(f"#result_list >> text={order.number}")
    assert "can't be read" in page.locator(".why").inner_text()
    page.click("text=Correct address")
    page.fill("[name=postcode]", "N1 9GU")
    page.click("text=Correct it")
    page.wait_for_selector("text=The address is corrected")


def test_orders_parked_over_an_address_get_another_one_and_complete(live: Live, tmp_path: Path) -> None:
    """One in each style, at once: the carrier can't read the address, and says so until the attempts are over."""
    north, south = live.products(10)
    orders = [live.place(style, [north, south], postcode="GARBLED 1")[0] for style in settings.STYLES]
    ids = [order.uuid for order in orders]
    sagas = Saga.objects.filter(order__in=orders)
    live.wait_for(lambda: not sagas.filter(last_error="").exists(), "both have failed")
    # The attempts in between, which nobody need sit through.
    sagas.filter(state="running", attempt__lt=5).update(attempt=5)
    Inbox.objects.filter(order_id__in=ids, state="failing", attempts__lt=5).update(attempts=5)
    live.wait_for(lambda: sagas.filter(state="parked").count() == len(orders), "both are parked")
    complaints: list[str] = []
    with running_web(live.stack.env, tmp_path) as web, staff_browsing(web.url, complaints) as page:
        for order in orders:
            correct_the_address(page, web.url, order)
            page.wait_for_selector("#live .pill >> text=completed")  # by itself
    assert complaints == []
    live.wait_until_ended(orders)
    for order in orders:
        traces = live.traces(order)
        assert (traces.status, traces.charges, traces.charged_minor) == ("completed", 1, 1000)
        assert (traces.parcels, traces.mails) == (["handed_over"] * 2, ["confirmation"])
        assert Order.objects.get(pk=order.pk).postcode == "N1 9GU"
        assert all(Parcel.objects.filter(shipment=order.uuid).values_list("withdrawn", flat=True))
    assert live.stock(north) == live.stock(south) == (8, 0)
    numbers = {order.number for order in orders}
    report = audit()
    assert [violation for violation in report.violations if numbers & set(violation.sentence.split())] == []


HOLD_AND_DIE = """
import os, signal, sys, django
django.setup()
from orders.lookups import AmountDue
from orders.models import Order
from shop.base.holds import held_off
with held_off(AmountDue, Order.objects.get(pk=sys.argv[1]).ref):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_is_killed_while_correcting_holds_the_payment_up_for_a_minute_and_no_longer(live: Live) -> None:
    """In each style: the charge waits for whoever holds it off, and then is made once."""
    skus = live.products(10)
    with live.stack.halted("payments"):
        orders = [live.place(style, skus)[0] for style in settings.STYLES]
        for order in orders:
            live.wait_for_event(order, "InventoryReserved")
            command = [sys.executable, "-c", HOLD_AND_DIE, str(order.pk)]
            env = {**live.stack.env, "DJANGO_SETTINGS_MODULE": "shop.settings"}
            killed = subprocess.run(command, env=env, cwd=ROOT, timeout=30, check=False)
            assert killed.returncode == -signal.SIGKILL
    held = Payment.objects.filter(pk__in=[order.uuid for order in orders], state="held")
    sagas = Saga.objects.filter(order__in=orders, last_error__contains="is being corrected")
    live.wait_for(lambda: sagas.count() == len(orders), "both have found it held off")
    assert held.update(updated_at=Now() - FORGOTTEN_AFTER) == len(orders)  # which nobody need sit through
    live.wait_until_ended(orders)
    for order in orders:
        traces = live.traces(order)
        assert (traces.status, traces.charges, traces.charged_minor) == ("completed", 1, 1000)
