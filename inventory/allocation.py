"""Which warehouses an order is taken from: as few as possible, so that it travels in as few parcels as possible."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

Free = Mapping[str, Mapping[str, int]]  # warehouse -> SKU -> units free
EXACT_UP_TO = 12  # warehouses; beyond, 2**n combinations are too many and the greedy choice stands


def allocate(wanted: Mapping[str, int], free: Free) -> dict[tuple[str, str], int] | None:
    """Units to take per (warehouse, SKU), from the smallest set of warehouses that has everything.

    Of equally small sets, the first in order of warehouse code. None: not even all warehouses together have enough.
    ``free`` may name more SKUs and warehouses than are wanted; they change nothing.
    """
    codes = sorted(code for code, units in free.items() if not wanted.keys().isdisjoint(units))
    if not _enough(wanted, free, codes):
        return None
    if len(codes) <= EXACT_UP_TO:
        chosen = next(
            some
            for size in range(1, len(codes) + 1)
            for some in combinations(codes, size)
            if _enough(wanted, free, some)
        )
    else:
        chosen = _greedy(wanted, free, codes)
    return _take(wanted, free, chosen)


def missing(wanted: Mapping[str, int], free: Free) -> list[str]:
    """The SKUs of which there is not enough in all warehouses together."""
    return sorted(
        sku for sku, units in wanted.items() if sum(has.get(sku, 0) for has in free.values()) < units
    )


def _enough(wanted: Mapping[str, int], free: Free, codes: tuple[str, ...] | list[str]) -> bool:
    return all(sum(free[code].get(sku, 0) for code in codes) >= units for sku, units in wanted.items())


def _greedy(wanted: Mapping[str, int], free: Free, codes: list[str]) -> tuple[str, ...]:
    rest = dict(wanted)
    chosen: list[str] = []
    while rest:
        best = max(
            (code for code in codes if code not in chosen),
            key=lambda code: sum(min(free[code].get(sku, 0), units) for sku, units in rest.items()),
        )
        chosen.append(best)
        rest = {sku: left for sku, units in rest.items() if (left := units - free[best].get(sku, 0)) > 0}
    return tuple(chosen)


def _take(wanted: Mapping[str, int], free: Free, chosen: tuple[str, ...]) -> dict[tuple[str, str], int]:
    taken: dict[tuple[str, str], int] = {}
    for sku, units in wanted.items():
        left = units
        # A whole line from one warehouse where one has it all, rather than a line in two parcels.
        for code in sorted(chosen, key=lambda code: free[code].get(sku, 0) < units):
            here = min(left, free[code].get(sku, 0))
            if here:
                taken[code, sku] = here
                left -= here
            if not left:
                break
    return taken
