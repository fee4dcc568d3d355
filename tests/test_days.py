"""Days of real invoices, in both styles: quiet ones, and one on which everything is killed once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orders.models import Order
from tests import servers
from tests.live import Live

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data" / "online-retail"
both_styles = pytest.mark.parametrize("style", ["orchestration", "choreography"])


def manage(live: Live, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=dict(live.stack.env), text=True, capture_output=True, timeout=240
    )


def assert_audit_holds(live: Live) -> None:
    audit = manage(live, "audit")
    assert audit.returncode == 0, audit.stdout + audit.stderr


@both_styles
@pytest.mark.parametrize(
    "day", [pytest.param("2010-12-01", marks=pytest.mark.scenario), "2010-12-02", "2010-12-03"]
)
def test_a_day_of_invoices_goes_through_and_the_audit_holds(live: Live, style: str, day: str) -> None:
    before = Order.objects.count()
    done = manage(live, "import_orders", str(DATA / f"{day}.csv"), "--style", style)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Order.objects.count() > before
    assert_audit_holds(live)


def test_importing_a_day_again_doubles_nothing(live: Live) -> None:
    arguments = ["import_orders", str(DATA / "2010-12-01.csv"), "--style", "orchestration"]
    assert manage(live, *arguments).returncode == 0
    before = Order.objects.count()
    assert manage(live, *arguments).returncode == 0
    assert Order.objects.count() == before
    assert_audit_holds(live)


def test_the_longest_invoice_has_593_lines(live: Live) -> None:
    assert (
        manage(live, "import_orders", str(DATA / "2010-12-03.csv"), "--style", "choreography").returncode == 0
    )
    most = max((order.lines.count(), order.status) for order in Order.objects.filter(style="choreography"))
    assert most[0] > 500
    assert most[1] == "completed"


@pytest.mark.scenario
@both_styles
def test_a_day_on_which_every_process_is_killed_and_the_broker_flushed(
    live: Live, style: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it when the test fails)
    chance = random.Random(seed)
    day = a_day_of_its_own(tmp_path, style)
    mishaps = all_mishaps(live)
    chance.shuffle(mishaps)
    command = [sys.executable, "manage.py", "import_orders", str(day), "--style", style, "--timeout", "120"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, cwd=ROOT, env=dict(live.stack.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    importing = start()
    while mishaps:
        time.sleep(chance.uniform(0.3, 1.2))
        mishaps.pop()()
        if importing.poll() is not None:  # the database went away under it, and its user runs it again
            importing = start()
    importing.wait(200)
    live.supervised_again()
    again = manage(live, *command[2:])
    assert again.returncode == 0, again.stdout + again.stderr
    assert_audit_holds(live)
    assert not Order.objects.exclude(saga__state="ended").exists()


def a_day_of_its_own(folder: Path, style: str) -> Path:
    """The invoices of a day under other numbers, so that they are new orders."""
    lines = (DATA / "2010-12-02.csv").read_text().splitlines()
    copy = folder / "day.csv"
    prefix = "9" if style == "orchestration" else "8"
    copy.write_text("\n".join([lines[0], *(prefix + line for line in lines[1:] if not line.startswith("C"))]))
    return copy


def all_mishaps(live: Live) -> list[Callable[[], object]]:
    def crash(name: str) -> Callable[[], object]:
        def now() -> None:
            servers.servers[name].kill()
            servers.servers[name].restart()

        return now

    kills = [partial(live.stack.kill, name) for name in live.stack.pids()]
    return [*kills, live.broker.flush, live.broker.flush, *(crash(name) for name in servers.servers)]
