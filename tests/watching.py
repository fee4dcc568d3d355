"""What a shop that has just come up tells of its two demo orders, in its logs and its metrics."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

from tests.processes import eventually


def assert_the_log_tells_two_lives(logs: Path) -> None:
    """Of all processes of ours; PostgreSQL's, Valkey's, the providers' and Flower's logs are their own."""
    lives: dict[str, list[dict[str, str]]] = {}
    for path in logs.glob("*.log"):
        if re.match(r"web|relay|metrics|worker", path.name):
            for line in path.read_text().splitlines():
                told = json.loads(line)
                if "event" in told:
                    lives.setdefault(told["order"], []).append(told)
    assert len(lives) == 2
    for life in lives.values():
        by_id = {told["id"]: told for told in life}
        assert len({told["style"] for told in life}) == 1
        (request,) = {told["request"] for told in life}
        assert re.fullmatch(r"[0-9a-f]{32}", request)
        assert len({told["service"] for told in life}) == 5
        first_one, *others = sorted(life, key=lambda told: told["at"])
        assert "cause" not in first_one
        assert all(told["cause"] in by_id for told in others)


def assert_the_metrics_tell_two_orders(address: str) -> None:
    def told() -> str:
        with urllib.request.urlopen(address) as answer:
            return str(answer.read().decode())

    placed = r'^shop_http_requests_total{method="POST",status="202",view="api-orders"} 2'
    assert eventually(lambda: re.search(placed, told(), re.MULTILINE), 30), told()  # what is found out in 5 s
    assert re.search(r"^shop_relays 1", told(), re.MULTILINE)
