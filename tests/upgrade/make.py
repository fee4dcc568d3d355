"""Makes a dump of this version's shop with orders in flight at every moment: in about two minutes.

    python -m tests.upgrade.make tests/upgrade/$(git rev-parse --short HEAD)

run from the project's folder, with servers of its own. tests/test_upgrade.py then names the folder. For the dump of
another version copy this package into a checkout of it, and mend what has other names there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

from shop.tools.up.datafolder import scratch_folder
from shop.tools.up.postgres import start_postgres
from shop.tools.up.redis import start_redis
from tests.upgrade.dumps import write_dump
from tests.upgrade.running import manage, one_database


def main(target: Path) -> None:
    with scratch_folder() as folder:
        postgres, redis = start_postgres(folder), start_redis(folder)
        try:
            os.environ |= one_database(postgres.url) | {
                "REDIS_URL": redis.url,
                "SECRET_KEY": "only for tests",
                "DJANGO_SETTINGS_MODULE": "shop.settings",
            }
            manage({}, "migrate", "-v", "0")
            django.setup()
            from tests.upgrade.sessions import play  # models can be imported only once Django is set up

            play(postgres.url, folder)
            write_dump(target, postgres.url, folder)
        finally:
            redis.stop()
            postgres.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
