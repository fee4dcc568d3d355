"""The memory of a running shop: `python -m benchmarks.memory` beside `make run` ($SHOP_DATA says which one)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.counters import families, memory_mib

DEFAULT = Path(__file__).resolve().parents[1] / ".data"


def main() -> int:
    """`up` and all that it runs, as PSS: what several processes share is counted once."""
    data = Path(os.environ.get("SHOP_DATA", DEFAULT))
    try:
        pids = [int((data / "lock").read_text())]
    except (OSError, ValueError):
        pids = []
    if not families(pids):
        print(f"No shop runs on {data}. Start one with `make run`.")
        return 1
    print(f"memory: {memory_mib(pids):,.0f} MiB in {len(families(pids))} processes (PSS)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
