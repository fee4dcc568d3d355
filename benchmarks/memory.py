"""The memory of a running shop: `python -m benchmarks.memory` beside `make run` ($SHOP_DATA says which one)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks.counters import families, memory_mib

DEFAULT = Path(__file__).resolve().parents[1] / ".data"


def main() -> int:
    """All processes that `up` runs, with their children, as PSS: what several share is counted once."""
    file = Path(os.environ.get("SHOP_DATA", DEFAULT)) / "pids.json"
    try:
        pids = [int(row["pid"]) for row in json.loads(file.read_text())["children"]]
    except (OSError, ValueError, KeyError):
        print(f"No shop runs there: {file} can't be read. Start one with `make run`.")
        return 1
    print(f"memory: {memory_mib(pids):,.0f} MiB in {len(families(pids))} processes (PSS)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
