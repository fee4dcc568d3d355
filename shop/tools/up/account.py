"""As root: PostgreSQL refuses to run, so another user runs it, and must be able to reach the files."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from shop.tools.up.children import Account, run
from shop.tools.up.errors import StartError


def check_user() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StartError(
            f"PostgreSQL needs a user with a name, and number {os.geteuid()} has none: "
            "run as a user of this computer, or set DATABASE_URL."
        ) from None


def account_for(cluster: Path) -> Account | None:
    """None unless we are root: then the owner of the data, or `nobody` for new data."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StartError(
            "PostgreSQL refuses to run as root and there is no user `nobody` to run it: "
            "run as another user, or set DATABASE_URL."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def can_enter(folder: Path, account: Account) -> bool:
    return run("/bin/sh", "-c", 'cd "$0"', str(folder), account=account)[0] == 0


def folder_for_all() -> Path:
    """A folder of root's that every user may enter, for what can't stay in a closed one such as /root."""
    for parent in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 (checked below)
        folder = parent / "shop-up"
        try:
            folder.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        found = folder.lstat()
        if folder.is_dir() and not folder.is_symlink() and found.st_uid == 0 and not found.st_mode & 0o022:
            folder.chmod(0o711)
            return folder
    raise StartError(
        "As root, PostgreSQL's files need a folder /var/lib/shop-up, and it can't be made: set DATABASE_URL."
    )


def copy_for(account: Account, wheel: Path) -> Path:
    """A copy of the wheel's binaries, and of the libraries beside them, that the account can reach."""
    made = (wheel / "pginstall" / "bin" / "postgres").stat()
    target = folder_for_all() / f"bin-{made.st_size}-{made.st_mtime_ns}"
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        for name in (wheel.name, f"{wheel.name}.libs"):
            if (wheel.parent / name).exists():
                shutil.copytree(
                    wheel.parent / name, fresh / name, ignore=shutil.ignore_patterns("include", "__pycache__")
                )
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(
                path.stat().st_mode | (0o755 if path.is_dir() else 0o444 | path.stat().st_mode >> 6 & 0o111)
            )
        try:
            fresh.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return target / wheel.name
