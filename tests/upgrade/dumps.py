"""A dump of the whole shop: the database and both providers' ledgers, as SQL that plain drivers can execute."""

from __future__ import annotations

import gzip
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg

from shop.tools.up.postgres import find_binaries
from tests.upgrade.position import BOOKS

# What only psql understands, what an older server would refuse, and what nobody needs.
_LEFT_OUT = re.compile(r"^(\\\w+ .*|SET \w+ = .*;|-- (Name|Data|Dumped|PostgreSQL).*|--)\n", re.MULTILINE)


def write_dump(folder: Path, database_url: str, ledgers: Path) -> None:
    """Write shop, payments and carrier; the processes must have been stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    pg_dump = str(find_binaries(None) / "pg_dump")
    options = ("--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100")
    dumped = subprocess.run([pg_dump, *options, database_url], check=True, capture_output=True, text=True)
    _write(folder, "shop", _LEFT_OUT.sub("", dumped.stdout))
    for provider in BOOKS.values():
        with closing(sqlite3.connect(ledgers / f"{provider}.sqlite3")) as ledger:
            _write(folder, provider, "\n".join(ledger.iterdump()))


def restore_dump(folder: Path, database_url: str, ledgers: Path) -> None:
    """Into an empty database and a folder without ledgers."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_read(folder, "shop"))
    for provider in BOOKS.values():
        with closing(sqlite3.connect(ledgers / f"{provider}.sqlite3")) as ledger:
            ledger.executescript(_read(folder, provider).decode())


def _write(folder: Path, name: str, sql: str) -> None:
    (folder / f"{name}.sql.gz").write_bytes(gzip.compress(sql.encode(), mtime=0))


def _read(folder: Path, name: str) -> bytes:
    return gzip.decompress((folder / f"{name}.sql.gz").read_bytes())
