from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from inventory.allocation import allocate, missing

skus = st.sampled_from("ABC")
wanted_lines = st.dictionaries(skus, st.integers(1, 5), min_size=1)
shelves = st.dictionaries(st.sampled_from(["W1", "W2", "W3", "W4"]), st.dictionaries(skus, st.integers(0, 5)))


@given(wanted_lines, shelves)
def test_takes_exactly_what_is_wanted_from_what_is_there_in_as_few_parcels_as_possible(
    wanted: dict[str, int], free: dict[str, dict[str, int]]
) -> None:
    taken = allocate(wanted, free)
    if taken is None:
        assert missing(wanted, free)
        return
    assert not missing(wanted, free)
    for sku, units in wanted.items():
        assert sum(n for (_, of), n in taken.items() if of == sku) == units
    assert all(0 < n <= free[code][sku] for (code, sku), n in taken.items())
    parcels = {code for code, _ in taken}
    for fewer in combinations(free, len(parcels) - 1):
        assert missing(wanted, {code: free[code] for code in fewer})


@given(wanted_lines, shelves)
def test_what_else_is_on_the_shelves_changes_nothing(
    wanted: dict[str, int], free: dict[str, dict[str, int]]
) -> None:
    of_these = {code: {sku: n for sku, n in units.items() if sku in wanted} for code, units in free.items()}
    only = {code: units for code, units in of_these.items() if units}
    assert allocate(wanted, free) == allocate(wanted, only)


def test_one_warehouse_that_has_all_is_preferred_to_two() -> None:
    free = {"A": {"x": 1}, "B": {"x": 1, "y": 1}}
    assert allocate({"x": 1, "y": 1}, free) == {("B", "x"): 1, ("B", "y"): 1}


def test_many_warehouses_are_chosen_greedily_and_still_complete() -> None:
    free = {f"W{n:02}": {f"sku{n}": 1} for n in range(30)}
    wanted = {f"sku{n}": 1 for n in range(30)}
    taken = allocate(wanted, free)
    assert taken is not None
    assert len(taken) == 30
