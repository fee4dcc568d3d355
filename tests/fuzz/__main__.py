"""``make fuzz``: a long run of all generators of bad input, on servers of its own, from a seed that it prints."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import django

from benchmarks.servers import own_servers

OPERATIONS, PHASES = 16, 2  # of the API; of schemathesis, those that make as many as they are told to
GENERATORS = (
    "shop/tests/test_hostile_pages.py",
    "shop/tools/invoices/tests/test_hostile.py",
    "tests/test_fuzz_messages.py",
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=...", description=__doc__.partition(":")[2].strip())
    parser.add_argument(
        "--cases", type=int, default=50_000, help="requests to the API, about; the rest as often more"
    )
    parser.add_argument("--seed", type=int, help="of an earlier run; else a new one")
    parser.add_argument("--seconds", type=int, default=3600, help="by then each part has ended, or is ended")
    return parser.parse_args()


def attack_the_api(options: argparse.Namespace) -> bool:
    """Whether nothing was found."""
    with own_servers() as servers:
        own = {
            **{name: "" for name in os.environ if name.endswith("_DATABASE_URL")},
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "DATABASE_URL": servers.make("shop"),
            "REDIS_URL": servers.redis.url,
            "SECRET_KEY": secrets.token_urlsafe(50),
        }
        os.environ.update(own)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, timeout=120)
        django.setup()
        from django.conf import settings
        from django.db import connections

        from tests.fuzz.attack import Attack
        from tests.fuzz.shop import attack_all, running_shop
        from tests.fuzz.world import make_world

        settings.ALLOWED_HOSTS, settings.WHITENOISE_AUTOREFRESH = ["*"], True
        world = make_world()
        connections.close_all()
        each = max(10, options.cases // (2 * PHASES * OPERATIONS))
        attacks = [Attack(who, each, options.seed, options.seconds) for who in ("ada", "")]
        with running_shop({}, servers.folder) as url:
            began = time.monotonic()
            found = attack_all(attacks, url, world, servers.folder)
        for attack, one in found.items():
            if one.failures:
                print(one.told)
            print(
                f"{attack.name}: {one.cases:,} cases, {one.failures} failures, {time.monotonic() - began:.0f} s"
            )
        return not any(one.failures for one in found.values())


def attack_the_rest(options: argparse.Namespace) -> bool:
    """Pages, files and messages, by the tests that try them; they have servers of their own."""
    times = max(1, options.cases // 5_000)
    env = {
        name: value for name, value in os.environ.items() if not name.endswith(("DATABASE_URL", "REDIS_URL"))
    }
    env |= {"FUZZ_SEED": str(options.seed), "FUZZ_TIMES": str(times)}
    run = [sys.executable, "-m", "pytest", "-q", "--timeout", str(options.seconds), *GENERATORS]
    return subprocess.run(run, env=env, cwd=Path(__file__).parent.parent.parent).returncode == 0


def main() -> int:
    options = arguments()
    options.seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    again = f"make fuzz ARGS='--cases {options.cases} --seed {options.seed}'"
    print(f"Seed {options.seed}. The same again: {again}", flush=True)
    fine = [attack_the_api(options), attack_the_rest(options)]
    print("Nothing was found." if all(fine) else f"Something was found. The same again: {again}")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
