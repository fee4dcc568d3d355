"""Thousands of requests that a generator makes of the OpenAPI page, with login and without: none finds anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.conftest import connected_to, fresh_databases
from tests.fuzz.attack import Attack
from tests.fuzz.chance import SEED
from tests.fuzz.shop import attack_all, running_shop
from tests.fuzz.world import make_world

CASES = 5_000  # at the least
ATTACKS = [Attack("ada", each=65, seed=SEED, seconds=400), Attack("", each=65, seed=SEED, seconds=400)]


@pytest.mark.timeout(480)
def test_no_request_is_answered_otherwise_than_the_page_says(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    with fresh_databases() as fresh, django_db_blocker.unblock(), connected_to(fresh):
        world = make_world()
        with running_shop(fresh, tmp_path) as url:
            found = attack_all(ATTACKS, url, world, tmp_path)
    for attack, one in found.items():
        assert one.failures == 0, f"{attack.name}, seed {attack.seed}:\n{one.told}"
    assert sum(one.cases for one in found.values()) >= CASES, {a.name: f.cases for a, f in found.items()}
