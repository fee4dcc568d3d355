"""Of an installation that is whole the doctor says nothing; where nobody answers it says so in time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from django.contrib.auth.hashers import make_password

from shop.tools.doctor.database import connect
from shop.tools.doctor.findings import Level
from shop.tools.doctor.installation import Installation
from shop.tools.doctor.run import examine
from tests.doctor.broken import CROWDED, KEY, Shop, silent
from tests.stack import LiveStack

AT_MOST = 6.0  # s for all of it, with everything away, and on a busy machine


@contextmanager
def somebody_in_charge(shop: Installation) -> Iterator[None]:
    with connect(shop.databases["default"]) as connection:
        connection.execute(
            "INSERT INTO auth_user (username, password, is_superuser, is_active, is_staff, first_name, last_name, email, "
            "date_joined) VALUES ('boss', %s, true, true, true, '', '', '', now())",
            [make_password(KEY)],
        )
        try:
            yield
        finally:
            connection.execute("DELETE FROM auth_user WHERE username = 'boss'")


def test_nothing_is_found_where_nothing_is_wrong(stack: LiveStack, shop: Shop) -> None:
    env = {
        **stack.env,
        "SECRET_KEY": KEY,
        "PUBLIC_URL": shop().public_url,
        "PAGES": "1",
        "MESSAGING_POINTS": "",
    }
    command = [sys.executable, "manage.py", "doctor", "--json", "--within", "30"]
    with somebody_in_charge(shop()):
        told = subprocess.run(
            command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False
        )
    found = json.loads(told.stdout)
    apart = len(shop().databases) > 1
    assert [one for one in found["findings"] if not (apart and CROWDED in one["what"])] == []
    assert found["unknown"] == []
    assert {"settings", "database", "broker", "relay", "workers", "providers", "work", "disk"} <= {
        *found["checked"]
    }
    assert (found["level"], told.returncode) == (("worry", 1) if apart else ("fine", 0))


def test_where_nobody_answers_it_is_said_in_time_and_the_worst_first(shop: Shop) -> None:
    with silent() as port:
        url = f"redis://127.0.0.1:{port}"
        whole = shop()
        silence = replace(
            whole,
            databases={
                name: {**one, "HOST": "127.0.0.1", "PORT": port} for name, one in whole.databases.items()
            },
            redis_url=url,
            broker_url=url,
            public_url=f"http://127.0.0.1:{port}",
            providers={who: one._replace(url="http://127.0.0.1:9") for who, one in whole.providers.items()},
            secret_key="",
        )
        begun = time.monotonic()
        report = examine(silence)
        took = time.monotonic() - begun
    assert took < AT_MOST
    assert {"database", "broker", "web", "providers"} <= {
        finding.check for finding in report.findings if finding.level == Level.WRONG
    }
    levels = [finding.level for finding in report.findings]
    assert levels == sorted(levels, reverse=True)
    assert report.level == Level.WRONG
    assert "SECRET_KEY" in report.findings[-1].what  # only a worry, on a computer that nobody else reaches
