"""The folder everything is kept in: one user at a time, secrets that only the owner reads."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shop.tools.up.errors import StartError


def make_folder(folder: Path) -> Path:
    """As root others may pass through, since PostgreSQL runs as another user in there; they can list nothing."""
    if part := next(
        (part for part in (folder, *folder.parents) if part.exists() and not part.is_dir()), None
    ):
        raise StartError(f"{part} is a file, so it can't hold the shop's data: choose a folder with --data.")
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} is not writable")
    except OSError as error:
        raise StartError(
            f"The data folder {folder} can't be used ({error.strerror or 'not writable'}): "
            "choose another with --data, or give this one to your user."
        ) from None
    return folder.resolve()


@contextmanager
def only_user(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. The kernel lets go of it when this process ends, however it ends."""
    path = folder / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"The data folder {folder} can't be used: {error}.") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise StartError(
                f"The shop already runs on {folder} (process {holder}): "
                "stop that one, or choose another folder with --data."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


class JsonFile:
    """A small JSON object on disk, readable by its owner only, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as error:
            raise StartError(
                f"{self.path} can't be read ({error}): repair it, or begin anew with --data and another folder."
            ) from None
        if not isinstance(found, dict):
            raise StartError(
                f"{self.path} holds no JSON object: repair it, or begin anew with --data and another folder."
            )
        return found

    def write(self, values: dict[str, Any]) -> None:
        fresh = self.path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(values, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


def secret(folder: Path, name: str, size: int = 24) -> str:
    """The named secret of this data folder, made when it is first asked for."""
    file = JsonFile(folder / "secrets.json")
    known = file.read()
    if name not in known:
        file.write({**known, name: secrets.token_urlsafe(size)})
        return str(file.read()[name])
    return str(known[name])


@contextmanager
def scratch_folder(prefix: str = "shop-") -> Iterator[Path]:
    """A data folder for tests, gone at the end, in which PostgreSQL can run even when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a data folder, with the database files that had to be placed elsewhere (see shop/tools/up/postgres.py)."""
    link = folder / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve().parent, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
