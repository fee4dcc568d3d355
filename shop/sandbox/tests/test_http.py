"""What a provider says over HTTP beyond what the shop's clients show."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers import running_provider

CHARGE = {"amount_minor": 5, "currency": "EUR", "method": "pm_card_approved", "order_number": "1"}
Answer = tuple[int, dict[str, object]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a payment provider."""
    with running_provider("payments", tmp_path_factory.mktemp("payments")) as provider:
        yield provider.url


def raw(url: str, method: str, path: str, body: object = None, key: str = "") -> Answer:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    connection.request(method, path, data, {"Idempotency-Key": key} if key else {})
    answer = connection.getresponse()
    found = (answer.status, json.loads(answer.read()))
    connection.close()
    return found


def test_a_repeated_request_is_answered_the_same(shared: str) -> None:
    first = raw(shared, "POST", "/v1/charges", CHARGE, "repeated")
    assert raw(shared, "POST", "/v1/charges", CHARGE, "repeated") == first


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status", "named"),
    [
        ("POST", "/v1/charges", {}, "k", 400, "amount_minor"),
        ("POST", "/v1/charges", b"{", "k", 400, "body"),
        ("POST", "/v1/charges", b"\xff", "k", 400, "body"),
        ("POST", "/v1/charges", {}, "", 400, "Idempotency-Key"),
        ("POST", "/v1/charges", b" " * 70_000, "k", 413, "65536"),
        ("POST", "/v1/refunds", {"charge_key": 1}, "k", 400, "charge_key"),
        ("GET", "/v1/ledger?limit=1001", None, "", 400, "limit"),
        ("GET", "/v1/ledger?after=x", None, "", 400, "after"),
        ("GET", "/v1/refunds", None, "", 405, "GET"),
        ("GET", "/nothing", None, "", 404, "path"),
    ],
)
def test_a_request_that_is_wrong_is_told_what_is_wrong(
    shared: str, method: str, path: str, body: object, key: str, status: int, named: str
) -> None:
    found, answer = raw(shared, method, path, body, key)
    assert found == status
    assert named in str(answer["error"])


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_provider_ends_cleanly_when_told_to(tmp_path: Path, signum: int) -> None:
    with running_provider("payments", tmp_path) as provider:
        provider.child.signal(signum)
        provider.child.reap(10)
        assert provider.child.returncode == 0
