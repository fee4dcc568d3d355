"""The database before the first order: its tables, the demo catalogue, two users. Skipped when it is all there."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from shop.tools.up.datafolder import JsonFile
from shop.tools.up.errors import StartError
from shop.tools.up.linux import tie_to_parent
from shop.tools.up.servers import last_complaint

SHOP = Path(settings.BASE_DIR) / "shop"
SEED = (SHOP / "management" / "commands" / "seed.py", SHOP / "base" / "roles.py")


@dataclass(frozen=True)
class Prepared:
    token: str = ""  # of the demo customer, when it was made just now
    created: tuple[str, ...] = ()  # users that were made just now


def prepare(
    env: Mapping[str, str],
    data: Path,
    *,
    own_database: bool,
    check: Callable[[], None],
    phase: Callable[[str], None],
) -> Prepared:
    """Each of the two commands costs seconds of imports, so look first whether it would do anything.

    Of a database of somebody else's, or several, we know too little to skip anything.
    """
    one_database = not any(name.endswith("_DATABASE_URL") and value for name, value in env.items())
    known = own_database and one_database
    if not known or not _migrated(env["DATABASE_URL"]):
        phase("Preparing the database.")
        for alias in settings.DATABASES:
            _manage("migrate", env, data, check, "--no-input", "-v", "0", "--database", alias)
    state, mark = JsonFile(data / "state.json"), _seed_mark(env["DATABASE_URL"])
    if known and state.read().get("seed") == mark:
        return Prepared()
    found = json.loads(_manage("seed", env, data, check).strip().splitlines()[-1])
    state.write({**state.read(), "seed": mark})
    return Prepared(str(found["token"] or ""), tuple(found["created"]))


def _migrated(url: str) -> bool:
    """Whether the database has every migration that is on disk."""
    disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    except psycopg.Error:
        return False
    return applied.issuperset(disk)


def _seed_mark(url: str) -> str:
    """Tells one seed, over one set of tables, and one database from all others."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    tables = repr(sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations))
    seed = hashlib.sha256(b"".join(path.read_bytes() for path in SEED) + tables.encode())
    return f"{seed.hexdigest()} {row[0] if row else ''}"


def _manage(
    command: str, env: Mapping[str, str], data: Path, check: Callable[[], None], *arguments: str
) -> str:
    """Run a management command to its end; what it printed stays in memory, since it may be a token."""
    log = data / "logs" / f"{command}.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryFile() as output, log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 (commands of our own, by a list and no shell)
            (sys.executable, "manage.py", command, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=settings.BASE_DIR,
            env=dict(env),
            start_new_session=True,
            preexec_fn=tie_to_parent(signal.SIGKILL),  # noqa: PLW1509 (it only makes two system calls)
        )
        try:
            while process.poll() is None:
                check()
                time.sleep(0.02)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            reason = last_complaint(log.read_text(errors="replace"))
            raise StartError(f"`manage.py {command}` failed ({reason[:300].rstrip('.')}): see {log}.")
        output.seek(0)
        return output.read().decode()
