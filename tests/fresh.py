"""A copy of the project as git has it, changes included, with no virtual environment and nothing of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shop.tools.up.datafolder import remove_folder, scratch_folder

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def fresh_copy() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with scratch_folder() as folder:
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        yield folder
        for data in (".data", "other-shop"):
            if (folder / data).is_dir():
                remove_folder(folder / data)


def plain_environment() -> dict[str, str]:
    """What a user has: nothing of the shop."""
    ours = (
        "DATABASE_URL",
        "REDIS_URL",
        "BROKER_URL",
        "SECRET_KEY",
        "PAYMENTS_URL",
        "CARRIER_URL",
        "MESSAGING_",
        "DJANGO_",
    )
    # What `make test` was told, a `make` within it would be told too.
    told = {"ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in told and not any(part in name for part in ours)
    }
