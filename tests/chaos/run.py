"""One figure under load: what was measured, whether its goal was reached, and whether anything is lost or doubled."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

from benchmarks import about, results
from benchmarks.run import FOLDER
from benchmarks.servers import Servers
from shop.base.terminal import Terminal
from shop.tools.up.servers import Server
from tests.chaos import away, database, flushed, frozen, healing, killed
from tests.chaos.found import Found, whole
from tests.chaos.shop import Shop, running

Measure = Callable[[Shop, argparse.Namespace], Found]
MODULES: dict[str, ModuleType] = {
    "faults": healing,
    "killed": killed,
    "flushed": flushed,
    "away": away,
    "frozen": frozen,
    "database": database,
}


def run(options: argparse.Namespace, servers: Servers, own: Server | None) -> int:
    """``servers`` and ``own``, the server of one app if it has one: those that this process's environment names."""
    began, module = datetime.now(UTC), MODULES[options.figure]
    measure: Measure = module.measure
    machine = about.machine(servers.folder)
    say = Terminal().say
    print(f"seed {options.seed}, {options.rate:g} orders a second", flush=True)
    with running(servers, own, options.rate, random.Random(options.seed), module.TWICE) as shop:
        found = measure(shop, options)
        shop.load.stop()
        shop.until_ended()
        state = shop.state()
    found.missed += whole(state)
    result = {
        "at": began.isoformat(timespec="seconds"),
        "seed": options.seed,
        "machine": machine,
        "versions": about.versions(),
        **found.numbers,
        **state,
        "missed": found.missed,
    }
    which = [options.figure, options.provider, options.app] if options.figure != "faults" else []
    path = FOLDER / f"{'-'.join(['chaos', f'{began:%Y-%m-%d}', *(word for word in which if word)])}.json"
    results.write(path, result)
    print(
        f"{state['orders']} orders, {state['placed_per_s']:g} a second; {state['unended']} not ended, "
        f"{state['parked']} parked; audit: {'; '.join(state['audit']) or 'every promise holds'}"
    )
    for sentence in found.missed:
        say(("MISSED", "trouble"), f": {sentence}")
    verdict = ("Missed", "trouble") if found.missed else ("Reached", "fine")
    say(verdict, f". Written to {path.relative_to(FOLDER.parents[1])}")
    return 1 if found.missed else 0
