"""All systems by name, in the order they are measured and shown."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from benchmarks.servers import Servers
from benchmarks.systems.base import System
from benchmarks.systems.floor import Floor
from benchmarks.systems.hand_written import HandWritten
from benchmarks.systems.shop import SANDBOXES, SLOW_SANDBOXES, Shop

Make = Callable[[Servers], System]


def _shop(style: str, name: str, **more: object) -> Make:
    return lambda servers: Shop(servers, name, style, **more)  # type: ignore[arg-type]


SHOP: dict[str, Make] = {style: _shop(style, style) for style in settings.STYLES}
QUICK: dict[str, Make] = {Floor.name: Floor, **SHOP, HandWritten.name: HandWritten}
COMPARED: dict[str, Make] = {**QUICK}
# The shop with its providers over HTTP: they answer at once, or each charge and label after 200 ms.
OVER_HTTP: dict[str, Make] = {
    f"{style}_{suffix}": _shop(style, f"{style}_{suffix}", providers=providers)
    for suffix, providers in (("http", SANDBOXES), ("http_200_ms", SLOW_SANDBOXES))
    for style in settings.STYLES
}
EVERY = {**COMPARED, **OVER_HTTP}
