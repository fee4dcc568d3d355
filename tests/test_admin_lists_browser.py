"""Every list and every page of the admin in a real browser, as wide as a phone and as screens: nothing is cut off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from orders.models import Order
from tests.one_of_each import one_of_each
from tests.test_admin_browser import PASSWORD, browsing

WIDTHS = (390, 1280, 1440)
WRONG = (Path(__file__).parent / "cut_off.js").read_text()


@pytest.fixture
def everything(place_order: Any) -> None:
    user = get_user_model().objects.create_superuser("ada", "ada@example.invalid", password=PASSWORD)
    one_of_each(Order.objects.select_related("saga").get(uuid=place_order().id), user)


def addresses() -> list[tuple[str, str]]:
    """Every list, and a page of each kind; the services' boxes are alike, an order's page has tests of its own."""
    found, seen = [], {type(admin.site._registry[Order])}
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        found.append((name, f"/admin/{name}/"))
        row = model._default_manager.first()
        assert row is not None, name
        if type(model_admin) not in seen:
            seen.add(type(model_admin))
            found.append((f"{name}/page", f"/admin/{name}/{row.pk}/change/"))
    return [*found, ("inventory/stock/receive", "/admin/inventory/stock/receive/")]


def looked_at(page: Page, base: str, name: str, path: str) -> list[str]:
    answer = page.goto(base + path)
    assert answer is not None
    wrong = [] if answer.status == 200 else [f"answers {answer.status}"]
    if "no history" in page.content() or page.locator(".historylink").count():
        wrong.append("leads to a history that there is not")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wrong += page.evaluate(WRONG)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=Path(folder) / f"{name.replace('/', '-')}-{width}.png", full_page=True)
    return [f"{name}: {what}" for what in wrong]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_nothing_of_any_list_or_page_is_cut_off_and_the_browser_has_no_complaint(
    everything: None, live_server: LiveServer
) -> None:
    complaints: list[str] = []
    hosts: set[str | None] = set()
    broken: set[str] = set()
    pages = addresses()
    with browsing(live_server.url, "light", complaints) as page:
        page.on(
            "response", lambda answer: broken.add(urlparse(answer.url).path) if answer.status >= 400 else None
        )
        page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
        wrong = [what for name, path in pages for what in looked_at(page, live_server.url, name, path)]
    assert wrong == [], "\n".join(wrong)
    assert broken == set()
    assert complaints == []
    assert hosts == {urlparse(live_server.url).hostname}
