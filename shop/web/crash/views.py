"""Break it: kill a worker, empty the broker, take a provider away, and watch that nothing gets lost."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from shop.base.breaking import Broken, Channel, Told, Way, Wish
from shop.base.live import Watch
from shop.base.roles import Role, has_role
from shop.web.crash.figures import ended_after, figures, first_since
from shop.web.crash.placing import NothingToSell, place

NUMBERS = (0, 50, 200, 500)  # of orders placed right before
USUAL = 200
WORKER = "worker-"
PROVIDERS = {"payments": "the payment provider", "carrier": "the carrier"}
SERVERS = {"redis": "Valkey", "relay": "the relay"}
ALL_WORKERS = "all"
PAGE = "page"


class Button(NamedTuple):
    value: str
    text: str


class Row(NamedTuple):
    """What was done, when, and what healed how long after."""

    broken: Broken
    what: str
    process: str  # in words
    orders: str


def crash(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    channel, version = _channel(), watch.version(PAGE)
    told = channel.told()
    if request.method == "POST":
        if told is None:
            messages.error(request, "Nothing was done: nobody listens. Start the shop with `make run`.")
        else:
            _break(request, channel, told)
        return HttpResponseRedirect(reverse("crash"))
    return TemplateResponse(
        request, "admin/crash.html", {"version": version, **_context(request, channel, told)}
    )


def stream(request: HttpRequest) -> HttpResponseBase:
    _allowed(request)
    return watch.stream(request, PAGE)


def _versions(keys: Collection[str]) -> dict[str, Hashable]:
    """There is one page, and all that it shows."""
    told, accepted = _channel().told(), _channel().accepted()
    seen = (repr(told), figures(first_since(told.since), accepted)) if told else None
    return dict.fromkeys(keys, seen)


watch: Watch[str] = Watch(_versions)


def _allowed(request: HttpRequest) -> None:
    if not has_role(request.user, Role.ADMIN):
        raise PermissionDenied


def _channel() -> Channel:
    return Channel(Path(settings.DATA))


def _break(request: HttpRequest, channel: Channel, told: Told) -> None:
    number, wishes = request.POST.get("orders", ""), _wishes(request.POST.get("do", ""), told)
    if wishes is None or number not in map(str, NUMBERS):
        messages.error(request, "Nothing was done: choose one of the buttons.")
        return
    try:
        if number != "0":
            channel.accept(place(int(number), request.user.pk or 0))
    except NothingToSell as error:
        messages.error(request, str(error))
        return
    for wish in wishes:
        channel.ask(wish)


def _wishes(pressed: str, told: Told) -> list[Wish] | None:
    """What the button means; none at all is that orders are only placed. None: there is no such button."""
    if pressed == "place":
        return []
    way, _, whom = pressed.partition(":")
    if (way, whom) == (Way.KILL, ALL_WORKERS):
        return [Wish(Way.KILL, name) for name in told.processes if name.startswith(WORKER)]
    known = way == Way.FLUSH or (way == Way.AWAY and whom in PROVIDERS)
    if known or (way == Way.KILL and whom in told.processes):
        return [Wish(Way(way), whom)]
    return None


def _context(request: HttpRequest, channel: Channel, told: Told | None) -> dict[str, Any]:
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Break it", "told": told}
    if told is None:
        return context
    after = first_since(told.since)
    workers = [name for name in told.processes if name.startswith(WORKER)]
    return {
        **context,
        "figures": figures(after, channel.accepted()),
        "rows": [_row(broken, after) for broken in told.broken],
        "processes": {_called(name).removeprefix("the "): up for name, up in told.processes.items()},
        "numbers": NUMBERS,
        "usual": USUAL,
        "workers": [Button(f"{Way.KILL}:{name}", name.removeprefix(WORKER)) for name in workers],
        "others": [
            *(
                Button(f"{Way.KILL}:{name}", f"kill {called}")
                for name, called in SERVERS.items()
                if name in told.processes
            ),
            Button(f"{Way.KILL}:{ALL_WORKERS}", "kill all workers at once"),
            Button(Way.FLUSH, "throw all messages away"),
        ],
        "providers": [Button(f"{Way.AWAY}:{name}", called) for name, called in PROVIDERS.items()],
    }


def _row(broken: Broken, after: int) -> Row:
    if broken.refused:
        return Row(broken, _what(broken), broken.refused, "")
    if broken.way == Way.FLUSH:
        process = f"{broken.lost:,} message{'' if broken.lost == 1 else 's'} lost"
    elif broken.back_after is None:
        process = "not back yet"
    else:
        process = f"back after {broken.back_after:.1f} s"
    count, seconds = ended_after(after, broken.at)
    if not count:
        orders = "no order was under way"
    elif seconds is None:
        orders = f"{count:,} orders under way then: not all have ended yet"
    else:
        orders = f"{count:,} orders under way then: all ended, the last {seconds:.1f} s later"
    return Row(broken, _what(broken), process, orders)


def _what(broken: Broken) -> str:
    if broken.way == Way.FLUSH:
        return "all messages thrown away"
    if broken.way == Way.AWAY:
        return f"{_called(broken.whom)} away for {broken.seconds:g} s"
    return f"{_called(broken.whom)} killed"


def _called(name: str) -> str:
    if name.startswith(WORKER):
        return f"the worker of {name.removeprefix(WORKER)}"
    return {**PROVIDERS, **SERVERS}.get(name, name)
