"""Room on the disks of this computer, and who may read the files with passwords in them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from shop.tools.doctor.findings import Findings, Scribe
from shop.tools.doctor.installation import Installation

LITTLE, LEAST = 2 * 1024**3, 256 * 1024**2  # bytes
SECRET = ("secrets.json", "environment.json", "redis/redis.conf")  # in the data folder
FOR_OTHERS = 0o077


def check_space(shop: Installation) -> Findings:
    if shop.data:
        yield from space(shop.data, "the data folder", Scribe("disk"))


def space(folder: Path, what: str, say: Scribe) -> Findings:
    try:
        free = psutil.disk_usage(str(folder)).free
    except OSError as error:
        yield say.wrong(f"{folder}, {what}, can't be read: {error.strerror}.", "Give it to the shop's user.")
        return
    if free >= LITTLE:
        return
    tell = say.wrong if free < LEAST else say.worry
    yield tell(
        f"The disk under {folder}, {what}, has {free / 1024**2:,.0f} MB left.",
        "Make room (logs, old backups), or move it to a larger disk: PostgreSQL stops when there is none.",
    )


def check_files(shop: Installation) -> Findings:
    say = Scribe("files")
    inside = [shop.data / name for name in SECRET] if shop.data else []
    for path in [*inside, shop.root / ".env"]:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & FOR_OTHERS:
            yield say.wrong(
                f"{path} holds passwords, and other users of this computer can open it ({mode & 0o777:o}).",
                f"Run: chmod 600 {path}",
            )
    if shop.data and shop.data.is_dir() and not os.access(shop.data, os.W_OK | os.X_OK):
        yield say.worry(
            f"{shop.data}, the data folder, is not writable for this user: no sign of life can be left there.",
            "Give it to the shop's user.",
        )
