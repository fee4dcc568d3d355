"""What `live.js` does in a real browser: what it leaves as it is on a page that is another one each time it is asked for,
and that no change is missed that a stream tells of.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.urls import path
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.test_admin_browser import browser_path

PAGE = """<!doctype html><title>Page</title>{% include "shop/live.html" %}
<span class="live-dot" hidden>live</span>
<div id="live" hx-get="/page" hx-trigger="refresh" hx-select="#live" hx-swap="outerHTML" data-again="0.5">
  <p id="number">{{ number }}</p>
  <details data-key="{{ number }}"><summary>new</summary>{{ number }}</details>
  <details data-key="one"><summary>one</summary>more</details>
  <details id="two" open><summary>two</summary>more</details>
  <form><input type="checkbox" name="tick"><input name="note"><select name="way"><option>a<option>b</select></form>
</div>
"""
LOG_IN = """<!doctype html><title>Log in</title><p id="who">Who are you?</p>"""

TOLD = """<!doctype html><title>Page</title>{% include "shop/live.html" %}
<div hx-ext="sse" sse-connect="/stream">
<div id="live" hx-get="/told" hx-trigger="sse:changed, refresh" hx-select="#live" hx-swap="outerHTML">
  <p id="number">{{ number }}</p>
</div></div>
"""
SLOWLY = 0.5  # s from when a page is read until it is there

numbers = itertools.count()
state: dict[str, bool] = {}


@dataclass
class Changing:
    """What the page at /told shows, whose stream tells of each change. ``refuse``: which requests for it fail."""

    number: int = 0
    asked: int = 0
    refuse: Collection[int] = ()


changing = Changing()


def page(request: HttpRequest) -> HttpResponse:
    if state.get("logged out"):
        return HttpResponse(LOG_IN)
    number = 0 if state.get("still") else next(numbers)
    return HttpResponse(engines["django"].from_string(PAGE).render({"number": number}, request))


def told(request: HttpRequest) -> HttpResponse:
    changing.asked += 1
    if changing.asked in changing.refuse:
        return HttpResponse("Too many wait.", status=503)
    number = changing.number
    if number:
        time.sleep(SLOWLY)
    return HttpResponse(engines["django"].from_string(TOLD).render({"number": number}, request))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Two changes, the second before a browser has the page that it asks for after the first."""

    def changes() -> Iterator[str]:
        for number in (1, 2):
            changing.number = number
            yield f"id: {number}\nevent: changed\ndata: {number}\n\n"
            time.sleep(SLOWLY / 2)
        time.sleep(20 * SLOWLY)

    return StreamingHttpResponse(changes(), content_type="text/event-stream")


urlpatterns = [path("page", page), path("told", told), path("stream", stream)]


@pytest.fixture
def open_page(live_server: LiveServer, settings: Any) -> Iterator[Callable[[str], Page]]:
    settings.ROOT_URLCONF = __name__
    state.clear()
    changing.number = changing.asked = 0
    complaints: list[str] = []

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 700})
        page.set_default_timeout(8000)
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def opened(address: str) -> Page:
            page.goto(f"{live_server.url}{address}")
            return page

        yield opened
        browser.close()
    assert [text for text in complaints if "503" not in text] == []


@pytest.fixture
def shown(open_page: Callable[[str], Page]) -> Page:
    return open_page("/page")


def wait_for_another(page: Page, times: int = 1) -> None:
    for _ in range(times):
        before = page.inner_text("#number")
        page.wait_for_function(
            "before => document.querySelector('#number').textContent !== before", arg=before
        )


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_what_a_person_has_open_or_at_hand_stays(shown: Page) -> None:
    page = shown
    wait_for_another(page)
    assert page.inner_text(".live-dot") == "live"
    page.click("[data-key=one] summary")
    page.click("#two summary")
    page.focus("[data-key=one] summary")
    page.evaluate(
        "() => { document.querySelector('#two').style.color = 'red' }"
    )  # which htmx would carry over
    wait_for_another(page, 2)
    assert page.evaluate("document.querySelector('[data-key=one]').open")
    assert not page.evaluate("document.querySelector('#two').open")
    assert page.evaluate("document.activeElement.textContent") == "one"


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_nothing_is_swapped_while_a_person_is_at_it(shown: Page) -> None:
    page = shown
    for act in (
        "document.querySelector('[type=checkbox]').checked = true",
        "document.querySelector('[name=note]').value = 'half a thought'",
        "document.querySelector('[name=way]').selectedIndex = 1",
        "getSelection().selectAllChildren(document.querySelector('#number'))",
    ):
        wait_for_another(page)
        page.evaluate(f"() => {{ {act} }}")
        before = page.inner_text("#number")
        page.wait_for_timeout(700)
        assert page.inner_text("#number") == before, act
        page.reload()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_page_that_is_as_before_is_left_alone_and_another_one_is_loaded_whole(shown: Page) -> None:
    page = shown
    state["still"] = True
    page.wait_for_function("() => document.querySelector('#number').textContent === '0'")
    page.evaluate("document.querySelector('#number').dataset.mine = 'yes'")
    page.wait_for_timeout(1200)
    assert page.evaluate("document.querySelector('#number').dataset.mine") == "yes"
    state["logged out"] = True
    page.wait_for_selector("#who")


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("refused", [(), (2,), (3,)], ids=["", "the first refused", "the second refused"])
def test_no_change_is_missed_while_the_page_of_the_one_before_is_on_its_way(
    open_page: Callable[[str], Page], refused: Collection[int]
) -> None:
    changing.refuse = refused
    open_page("/told").wait_for_function("() => document.querySelector('#number').textContent === '2'")
