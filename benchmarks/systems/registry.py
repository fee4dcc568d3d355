"""All systems by name, in the order they are measured and shown."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from benchmarks.servers import Servers
from benchmarks.systems.base import System, Unavailable
from benchmarks.systems.floor import Floor
from benchmarks.systems.hand_written import HandWritten
from benchmarks.systems.shop import SANDBOXES, SLOW_SANDBOXES, Shop

Make = Callable[[Servers], System]


def _shop(style: str, name: str, **more: object) -> Make:
    return lambda servers: Shop(servers, name, style, **more)  # type: ignore[arg-type]


def _later(path: str) -> Make:
    """Imported when it is asked for: what it needs is installed by `make bench` alone."""

    def make(servers: Servers) -> System:
        try:
            system: System = import_string(path)(servers)
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error}; `make bench` installs it") from error
        return system

    return make


SHOP: dict[str, Make] = {style: _shop(style, style) for style in settings.STYLES}
QUICK: dict[str, Make] = {Floor.name: Floor, **SHOP, HandWritten.name: HandWritten}
COMPARED: dict[str, Make] = {
    **QUICK,
    **{
        name: _later(f"benchmarks.systems.{name}.{kind}")
        for name, kind in (
            ("dbos", "DBOSSystem"),
            ("restate", "Restate"),
            ("procrastinate", "Procrastinate"),
            ("dramatiq", "Dramatiq"),
            ("temporal", "Temporal"),
        )
    },
}
# The shop with its providers over HTTP: they answer at once, or each charge and label after 200 ms.
OVER_HTTP: dict[str, Make] = {
    f"{style}_{suffix}": _shop(style, f"{style}_{suffix}", providers=providers)
    for suffix, providers in (("http", SANDBOXES), ("http_200_ms", SLOW_SANDBOXES))
    for style in settings.STYLES
}
EVERY = {**COMPARED, **OVER_HTTP}
