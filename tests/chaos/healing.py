"""One fault after the other, then several at once: how long until all orders have ended that were placed before?"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import defaultdict

from shop.base.terminal import Bar, Terminal
from tests.chaos.faults import Fault, Faults
from tests.chaos.found import Found
from tests.chaos.shop import Shop

TWICE = ("payments", "shipping")  # services with two workers
GOAL = 30.0  # s from the end of a fault until all orders have ended
AT_ONCE = 8  # faults in the storm at the end


def measure(shop: Shop, options: argparse.Namespace) -> Found:
    faults = Faults(shop.servers, shop.stack, "shop:", shop.chance).all()
    faults = {name: fault for name, fault in faults.items() if options.only in name}
    with Terminal().bars(lines=False) as bars:
        storms = 0 if options.only else 1
        chaos = Chaos(shop, shop.chance, bars.add("faults healed", options.rounds * len(faults) + storms))
        for _ in range(options.rounds):
            chaos.round(faults)
        if storms:
            storm = [faults[name] for name in shop.chance.sample([*faults], AT_ONCE)]
            chaos.under(f"{AT_ONCE} of these, one after the other", storm)
    return _found(chaos.healed, options.only)


class Chaos:
    def __init__(self, shop: Shop, chance: random.Random, bar: Bar) -> None:
        self._shop, self._chance, self._bar = shop, chance, bar
        self.healed: dict[str, list[float]] = defaultdict(list)

    def round(self, faults: dict[str, Fault]) -> None:
        names = [*faults]
        self._chance.shuffle(names)
        for name in names:
            self.under(name, [faults[name]])

    def under(self, name: str, faults: list[Fault]) -> None:
        """The faults, and then until all orders have ended that were placed before they were over."""
        self._bar.show(self._done(), f"now {name}")
        time.sleep(self._chance.uniform(1, 2))
        for fault in faults:
            fault()
        over = time.monotonic()
        ended = self._shop.until_ended()
        took = time.monotonic() - over
        self.healed[name].append(took)
        print(f"  {took:6.1f} s  {name}{'' if ended else ': NOT HEALED'}", flush=True)
        self._bar.show(self._done())

    def _done(self) -> int:
        return sum(map(len, self.healed.values()))


def _found(healed: dict[str, list[float]], only: str) -> Found:
    found = Found({"healed_s": {name: [round(took, 1) for took in times] for name, times in healed.items()}})
    found.must(bool(healed), f"no fault's name has {only!r} in it, so nothing befell the shop")
    print(f"\n{'s until all orders had ended':<46}{'median':>8}{'longest':>9}{'times':>7}")
    for name, times in sorted(healed.items(), key=lambda row: -max(row[1])):
        print(f"{name:<46}{statistics.median(times):>8.1f}{max(times):>9.1f}{len(times):>7}")
    for name, times in healed.items():
        late = sum(took > GOAL for took in times)
        found.must(
            not late, f"{name}: {late} of {len(times)} times more than {GOAL:g} s, at most {max(times):.1f} s"
        )
    return found
