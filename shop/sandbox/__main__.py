"""python -m shop.sandbox payments|carrier --port N --ledger FILE"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
from pathlib import Path

from shop.sandbox.carrier import Carrier
from shop.sandbox.mishaps import Timing
from shop.sandbox.payments import Payments
from shop.sandbox.server import serve

PROVIDERS: dict[str, type[Payments] | type[Carrier]] = {"payments": Payments, "carrier": Carrier}


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m shop.sandbox", description="Run a sandbox provider on loopback."
    )
    parser.add_argument("provider", choices=PROVIDERS)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: loopback only)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True, help="its SQLite file, made if it is not there")
    options = parser.parse_args()
    if not 0 < options.port < 65536:
        parser.error("--port must be from 1 to 65535")
    os.umask(0o077)  # the books are nobody else's
    try:
        provider = PROVIDERS[options.provider](options.ledger, Timing.from_environment())
    except sqlite3.Error as error:
        parser.error(f"the ledger {options.ledger} can't be used: {error}")
    asyncio.run(serve(provider.routes(), port=options.port, name=options.provider, host=options.host))


if __name__ == "__main__":
    main()
