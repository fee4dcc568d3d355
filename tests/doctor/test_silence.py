"""Where nobody answers the doctor says so in time. Of a whole shop it says nothing: that is in tests/test_up.py."""

from __future__ import annotations

import time
from dataclasses import replace

from shop.tools.doctor.findings import Level
from shop.tools.doctor.run import examine
from tests.doctor.broken import Shop, silent

AT_MOST = 6.0  # s for all of it, with everything away, and on a busy machine


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
