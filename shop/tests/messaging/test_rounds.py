"""When a relay gathers what is to be noted, though nobody tells it of each event."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis
from celery import current_app
from django.conf import settings

from shop.messaging.leading import Leading
from shop.messaging.rounds import BUSY, LIVELY, Rounds
from shop.tests.messaging.samples import store
from shop.tests.messaging.test_relay import queued

pytestmark = pytest.mark.django_db(databases="__all__")
MOMENT = settings.MESSAGING["GATHER_FOR"]


@pytest.fixture
def rounds(broker: redis.Redis) -> Iterator[Rounds]:
    """One that has looked at everything, and found nothing left."""
    with current_app.producer_or_acquire(None) as producer:
        leading = Leading()
        leading.leads = True
        rounds = Rounds(producer, leading)
        rounds.round(set())
        broker.flushall()
        yield rounds


def after_its_patience(rounds: Rounds) -> float:
    patience = rounds.patience()
    time.sleep(patience)
    rounds.round(set())
    return patience


def test_what_was_placed_brings_it_soon_and_what_it_finds_brings_it_back(
    rounds: Rounds, broker: redis.Redis
) -> None:
    rounds.round({"payments"})
    store(1)
    assert after_its_patience(rounds) < 2 * MOMENT
    store(1)
    assert after_its_patience(rounds) < 2 * MOMENT
    assert len(queued("orders", broker)) == 2


def test_it_comes_ever_later_where_it_finds_nothing_and_then_only_to_look(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.MESSAGING, "POLL_EVERY", 60.0)
    rounds.round(set())
    rounds.round({"payments"})
    began, times = time.monotonic(), 0
    while time.monotonic() < began + LIVELY and times < 20:
        time.sleep(min(rounds.patience(), LIVELY))
        rounds.round(set())
        times += 1
    assert 3 <= times < 10
    assert rounds.patience() > LIVELY


def test_who_is_told_all_the_time_does_not_wait_for_ever(rounds: Rounds, broker: redis.Redis) -> None:
    store(1)
    began = time.monotonic()
    while not queued("orders", broker):
        assert time.monotonic() < began + 3 * BUSY * MOMENT
        rounds.round({"payments"})
        time.sleep(MOMENT / 5)
