"""A PostgreSQL of our own starts again at once, whatever an earlier one has left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.postgres import start_postgres
from tests.processes import eventually
from tests.test_servers import ask


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder


def test_a_start_after_a_crash_ignores_a_pid_file_that_names_somebody_else(shared: Path) -> None:
    server = start_postgres(shared)
    cluster = (shared / "postgres").resolve()
    server.kill()
    lines = (cluster / "postmaster.pid").read_text().splitlines()
    (cluster / "postmaster.pid").write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    server.restart()
    server.stop()


def test_a_start_after_a_crash_ignores_a_dead_predecessor_that_nobody_has_reaped(shared: Path) -> None:
    server = start_postgres(shared)
    cluster = (shared / "postgres").resolve()
    server.kill()
    dead = subprocess.Popen([sys.executable, "-c", ""])  # not waited for: its number still counts as taken
    try:
        assert eventually(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE)
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        (cluster / "postmaster.pid").write_text("\n".join([str(dead.pid), *lines[1:]]) + "\n")
        start_postgres(shared).stop()
    finally:
        dead.wait()


def test_a_start_ends_a_predecessor_that_is_still_alive(shared: Path) -> None:
    left = start_postgres(shared)
    ask(left.url, "CREATE TABLE IF NOT EXISTS left_behind AS SELECT 7 AS a")
    server = start_postgres(shared)
    try:
        assert ask(server.url, "TABLE left_behind") == [(7,)]
        assert not left.child.alive
    finally:
        server.stop()
        left.stop()
