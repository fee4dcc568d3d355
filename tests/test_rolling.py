"""A rolling upgrade: relay and workers of this version and of the next one side by side, and nothing is lost.

The next version is this one with the new step of docs/extending.md: a new event type, a new receiver of an event there is
already, and one receiver that hears another event from now on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from orders.models import Order, TimelineEntry
from shop.tools.up.children import Program
from shop.tools.up.readiness import says
from shop.tools.up.supervisor import Supervisor
from tests.fresh import fresh_copy, plain_environment
from tests.live import Live
from tests.test_crashes import assert_whole
from tests.test_extending import apply, blocks, run


@pytest.fixture
def next_version() -> Iterator[Path]:
    with fresh_copy() as folder:
        apply(blocks("diff"), folder)
        yield folder


def programs(folder: Path, env: Mapping[str, str]) -> list[Program]:
    """The relay first: so who hears what is known before anybody publishes something new."""
    commands = {"relay": ("relay",)} | {
        f"worker-{service}": ("worker", service, "--name", f"{service}-3") for service in settings.SERVICES
    }
    return [
        Program(
            name=f"next-{name}",
            argv=(sys.executable, "manage.py", *command),
            env=env,
            cwd=folder,
            log=folder / f"{name}.log",
            ready=says("relay ready" if name == "relay" else " ready."),
        )
        for name, command in commands.items()
    ]


@contextmanager
def stopped(live: Live, names: Sequence[str]) -> Iterator[None]:
    if not names:
        yield
        return
    with live.stack.supervisor.held(names[0]), stopped(live, names[1:]):
        yield


def test_relays_and_workers_of_two_versions_side_by_side_lose_nothing(live: Live, next_version: Path) -> None:
    env = {**live.stack.env, "MESSAGING_POINTS": ""}
    migrate = [f"migrate -v 0 --database {alias}" for alias in settings.DATABASES]
    for command in ("makemigrations payments --name screening", *migrate):
        done = run(next_version, sys.executable, "-W", "ignore", "manage.py", *command.split(), **env)
        assert done.returncode == 0, done.stderr
    skus = live.products(100)
    orders: list[Order] = []

    def place() -> None:
        for style in settings.STYLES:
            orders.extend(live.place(style, skus, orders=3))

    with Supervisor(say=lambda line: None, longest_wait=0.1) as supervisor:
        place()
        for program in programs(next_version, {**plain_environment(), **env}):
            supervisor.start(program)
            place()
            supervisor.wait_ready()
        place()
        # What is only noted may wait, as every second message of it goes to a worker that can't read it.
        ended = Order.objects.filter(pk__in=[order.pk for order in orders], saga__state="ended")
        live.wait_for(lambda: ended.count() == len(orders), "with both versions at work all orders end")
        with stopped(live, [name for name in live.stack.pids() if name.startswith(("relay", "worker"))]):
            place()
            live.wait_until_ended(orders)
            assert live.events(orders[-1]).count("PaymentCleared") == 1
    assert_whole(live, orders, skus)
    cleared = TimelineEntry.objects.filter(order__in=orders, event="PaymentCleared").count()
    assert 6 <= cleared < len(orders)
