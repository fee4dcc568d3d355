"""Buckets of tokens: in Redis for all processes together; in each process for itself while Redis is away."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as django_settings

from shop.base.brakes import buckets
from shop.base.brakes.buckets import Bucket, Here, forget, take, take_all
from shop.base.brakes.rates import Rate, rate

FIVE = Rate(5, 3600)
AGAIN = "from shop.base.brakes.buckets import *; print(take(Bucket('{}', Rate(5, 3600))).left)"


def new(limit: Rate = FIVE) -> Bucket:
    return Bucket(f"test:{uuid4().hex}", limit)


@pytest.fixture(params=["redis", "here"])
def kept(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where buckets are."""
    if request.param == "here":
        monkeypatch.setattr(buckets, "asked", lambda question, otherwise: otherwise)
    return str(request.param)


def test_so_many_at_once_and_then_one_at_a_time(kept: str) -> None:
    bucket = new(Rate(5, 0.5))
    taken = [take(bucket) for _ in range(6)]
    assert [one.allowed for one in taken] == [True] * 5 + [False]
    assert [one.left for one in taken[:5]] == [4, 3, 2, 1, 0]
    assert 0 < taken[5].wait <= 0.1
    assert 0.3 < taken[5].full_in <= 0.5
    time.sleep(taken[5].wait)
    assert take(bucket).allowed
    assert not take(bucket).allowed


def test_of_several_all_are_taken_or_none(kept: str) -> None:
    small, large = new(Rate(1, 3600)), new()
    assert all(one.allowed for one in take_all([small, large]))
    refused = take_all([small, large])
    assert [one.allowed for one in refused] == [False, False]
    assert refused[0].wait > 3000
    assert take(large).left == FIVE.most - 2


def test_one_that_is_forgotten_is_full_again(kept: str) -> None:
    bucket = new(Rate(1, 3600))
    assert take(bucket).allowed
    assert not take(bucket).allowed
    forget([bucket.name])
    assert take(bucket).allowed


def test_processes_share_a_bucket_that_redis_lets_go_when_it_is_full() -> None:
    bucket = new()
    assert take(bucket).left == 4
    other = [sys.executable, "-c", f"import shop.celery; {AGAIN.format(bucket.name)}"]
    told = subprocess.run(other, cwd=django_settings.BASE_DIR, capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "3", told.stderr
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        left: Any = client.pttl(buckets.key_of(bucket.name))
    assert 0 < left <= 2 * 720_000 + 10


@pytest.fixture
def silent() -> Iterator[str]:
    """A Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_redis_that_hangs_holds_nobody_up_for_long_and_takes_no_brake_away(
    silent: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = silent
    monkeypatch.setattr(buckets, "_away", {"until": 0.0})
    for cached in (buckets._client, buckets._script):
        cached.cache_clear()
    try:
        bucket, began = new(), time.monotonic()
        assert [take(bucket).allowed for _ in range(6)] == [True] * 5 + [False]
        assert time.monotonic() - began < 2 * buckets.PATIENCE + 0.3
    finally:
        for cached in (buckets._client, buckets._script):
            cached.cache_clear()


def test_a_process_keeps_only_so_many_for_itself() -> None:
    here = Here(most=10)
    for number in range(25):
        here.take_all([Bucket(str(number), FIVE)])
    assert len(here._full) == 10


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("600/minute", Rate(600, 60)),
        ("10/15 minutes", Rate(10, 900)),
        ("1/2hours", Rate(1, 7200)),
        ("off", None),
    ],
)
def test_a_rate_is_written_as_people_say_it(text: str, found: Rate | None) -> None:
    assert rate(text) == found


@pytest.mark.parametrize("text", ["600", "0/minute", "5/0 minutes", "many/hour", "-1/day", "6/min", ""])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        rate(text)
