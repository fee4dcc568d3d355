"""The run as a whole: which systems, how often, in which order; what comes of it is written and shown."""

from __future__ import annotations

import argparse
import traceback
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks import about, plot, results
from benchmarks.measuring import Plan, measure
from benchmarks.servers import Servers, own_servers
from benchmarks.systems.base import ROOT, System, Unavailable
from benchmarks.systems.registry import COMPARED, EVERY, OVER_HTTP, QUICK, SHOP
from shop.base.terminal import Terminal

FOLDER = ROOT / "benchmarks" / "results"
Runs = dict[str, list[dict[str, Any]]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}; once; short")
    parser.add_argument("--systems", metavar="NAME,…", help=f"of {', '.join(EVERY)}")
    parser.add_argument("--repetitions", type=int, metavar="N", help="of all systems, one after the other")
    parser.add_argument(
        "--orders", type=int, metavar="N", help="in each measured run (default: by --seconds)"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="that a measured run is to take, roughly")
    parser.add_argument("--lone", type=int, metavar="N", help="orders placed one at a time, for the latency")
    options = parser.parse_args()
    default = (
        {"repetitions": 1, "seconds": 4.0, "lone": 30}
        if options.quick
        else {"repetitions": 3, "seconds": 8.0, "lone": 100}
    )
    for name, value in default.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    names = options.systems.split(",") if options.systems else [*(QUICK if options.quick else EVERY)]
    if unknown := set(names) - EVERY.keys():
        parser.error(f"there is no system {', '.join(sorted(unknown))}; there are {', '.join(EVERY)}")
    if options.repetitions < 1 or (options.orders or 1) < 1 or options.lone < 1 or options.seconds <= 0:
        parser.error("numbers must be above zero")
    options.systems = names
    return options


def prepared(names: list[str], servers: Servers) -> tuple[dict[str, System], dict[str, str]]:
    """The systems that can run here, and why the others can't."""
    systems, left_out = {}, {}
    for name in names:
        try:
            system = EVERY[name](servers)
            system.prepare()
            systems[name] = system
        except Unavailable as reason:
            left_out[name] = str(reason)
            print(f"{name} is left out: {reason}")
    return systems, left_out


def run_all(systems: Mapping[str, System], plan: Plan, repetitions: int) -> tuple[Runs, list[str]]:
    """Every system once, and again: what disturbs the machine for a while disturbs all of them."""
    runs: Runs = defaultdict(list)
    failed: list[str] = []
    with Terminal().bars(lines=False) as bars:
        bar = bars.add("measured", repetitions * len(systems))
        for repetition in range(1, repetitions + 1):
            print(f"Repetition {repetition} of {repetitions}")
            for name, system in systems.items():
                bar.show(sum(map(len, runs.values())) + len(failed), f"now {name}")
                _once(name, system, plan, repetition, runs, failed)
        bar.show(repetitions * len(systems))
    return runs, failed


def _once(name: str, system: System, plan: Plan, repetition: int, runs: Runs, failed: list[str]) -> None:
    """Measure it; what comes of it is noted among the runs or the failures."""
    try:
        run = measure(system, plan)
        runs[name].append({"repetition": repetition, **run})
    except Exception as error:  # one that breaks must not take the others' numbers along
        traceback.print_exc()
        failed.append(f"{name}: repetition {repetition} failed: {type(error).__name__}: {error}")


def main() -> int:
    options = arguments()
    began = datetime.now(UTC)
    plan = Plan(options.orders, options.seconds, options.lone)
    with own_servers() as servers:
        result: dict[str, Any] = {
            "at": began.isoformat(timespec="seconds"),
            "machine": about.machine(servers.folder),
            "versions": about.versions(),
            "levers": about.levers(),
            "servers": servers.settings(),
            "plan": {"repetitions": options.repetitions, **vars(plan)},
        }
        systems, result["left_out"] = prepared(options.systems, servers)
        runs, failed = run_all(systems, plan, options.repetitions)
    floors = {run["repetition"]: run["orders_per_s"] for run in runs.get(results.FLOOR, [])}
    result["systems"] = {name: results.summary(some, floors) for name, some in runs.items()}
    result["failed"] = failed + results.complaints(result["systems"])
    path = FOLDER / ("quick.json" if options.quick else f"{began:%Y-%m-%d}.json")
    results.write(path, result)
    if not options.quick:
        cores, times = result["machine"]["cores"], options.repetitions
        under = f"{began:%d %B %Y}, {cores} cores, medians; all systems took turns, {times} times"
        plot.draw(path.with_suffix(".svg"), result["systems"], [*COMPARED], [*SHOP], under)
    print()
    print(results.table(result["systems"], COMPARED))
    if set(OVER_HTTP) & set(runs):
        print("\nThe shop with both providers over HTTP")
        print(results.table(result["systems"], OVER_HTTP))
    for sentence in result["failed"]:
        Terminal().say((sentence, "trouble"))
    print(f"\nWritten to {path.relative_to(ROOT)}")
    return 1 if result["failed"] else 0
