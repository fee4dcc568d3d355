"""What is told, when, and again: over real tables, to whoever takes it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
import redis
from django.conf import settings as shop_settings
from django.core.management import CommandError, call_command
from django.db import router, transaction

from orders.models import Order, TimelineEntry
from orders.process import PROCESS, REFUSED_BY
from shop.messaging.events import StepFailed
from shop.messaging.ids import uuid7
from shop.web.metrics.tests.test_exporter import noted, order
from shop.web.tracing import following
from shop.web.tracing.following import Follower, lacking
from shop.web.tracing.spans import LOW, ROOT, Span, is_told, told_by
from tests.processes import eventually

ROOT_OF_THE_PROJECT = Path(__file__).resolve().parents[4]
PLACED, SECOND, LAST = PROCESS[0], PROCESS[1], PROCESS[-1]

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Taker:
    def __init__(self) -> None:
        self.has: list[Span] = []
        self.refuses = False

    def __call__(self, spans: Sequence[Span]) -> bool:
        self.has += [] if self.refuses else spans
        return not self.refuses


@pytest.fixture(autouse=True)
def nothing_is_told_yet() -> None:
    with redis.Redis.from_url(shop_settings.REDIS_URL) as client:
        client.delete(f"{shop_settings.REDIS_PREFIX}traces")


@pytest.fixture
def taker() -> Taker:
    return Taker()


def begun(taker: Taker) -> Follower:
    follower = Follower(taker, share=1.0)
    follower.begin()
    return follower


def tell(follower: Follower, taker: Taker, spans: int) -> None:
    """Until so many are told, and no more than these: another transaction may hold the newest rows back for a moment."""
    assert eventually(lambda: follower.tell() == 0 and len(taker.has) >= spans)
    follower.tell()
    assert len(taker.has) == spans


def test_what_nobody_took_is_told_again_and_what_was_taken_is_not(taker: Taker) -> None:
    noted(order(), PLACED.done)
    follower = begun(taker)
    event = noted(order(), PLACED.done)
    taker.refuses = True
    assert eventually(lambda: follower.tell() is None)
    taker.refuses = False
    tell(follower, taker, 1)
    assert [span.id for span in taker.has] == [event.event_id.int & LOW]


def test_another_process_goes_on_where_one_was_killed(taker: Taker) -> None:
    begun(taker)
    event = noted(order(), PLACED.done)
    tell(begun(taker), taker, 1)
    tell(begun(taker), taker, 1)
    assert [span.id for span in taker.has] == [event.event_id.int & LOW]


def test_of_too_many_that_nobody_took_the_oldest_are_left_out_and_the_log_says_so(
    taker: Taker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(following, "MOST_BEHIND", 2)
    noted(order(), PLACED.done)
    follower = begun(taker)
    with transaction.atomic(using=router.db_for_write(TimelineEntry)):
        events = [noted(order(), PLACED.done) for _ in range(5)]
    with caplog.at_level(logging.ERROR, following.__name__):
        tell(follower, taker, 2)
    assert [span.id for span in taker.has] == [event.event_id.int & LOW for event in events[3:]]
    assert "leave out up to 3 events" in caplog.text


def test_a_position_in_tables_that_are_gone_holds_nothing_up(taker: Taker) -> None:
    with redis.Redis.from_url(shop_settings.REDIS_URL) as client:
        client.set(f"{shop_settings.REDIS_PREFIX}traces", 10**9)
    follower = begun(taker)
    noted(order(), PLACED.done)
    tell(follower, taker, 1)


def test_a_failure_is_told_with_its_attempt_and_an_outage_counts_as_none() -> None:
    one = order()
    for after, text in enumerate(("waits: away", "failed, to be tried again: broken", "failed: broken")):
        noted(one, StepFailed, after, text=f"{SECOND.operation} {text}", service=SECOND.service)
    noted(one, SECOND.done, 4, service=SECOND.service)
    spans = told_by(0, 2**40)
    assert [span.name for span in spans] == [SECOND.operation.partition(".")[2]] * 4
    assert [span.attributes["shop.attempt"] for span in spans] == [1, 1, 2, 3]
    assert [bool(span.trouble) for span in spans] == [True, True, True, False]


def test_what_follows_is_below_its_cause_and_goes_back_to_its_request() -> None:
    one = order()
    first = noted(one, PLACED.done, request="r-1")
    refused = next(iter(REFUSED_BY))
    noted(one, refused, 1, cause=first.event_id, text="refused, out of stock")
    noted(one, LAST.done, 2)
    placed, refusal, _, whole = told_by(0, 2**40)
    assert (whole.name, whole.id, whole.parent) == (ROOT, one.uuid.int & LOW, None)
    assert (placed.parent, refusal.parent) == (whole.id, placed.id)
    assert {span.attributes["shop.request.id"] for span in (placed, refusal, whole)} == {"r-1"}
    assert whole.trouble == refusal.trouble == "refused, out of stock"
    assert {span.trace for span in (placed, refusal, whole)} == {one.uuid.int}


def test_a_share_of_the_orders_is_told_and_of_each_all_or_nothing() -> None:
    told = sum(is_told(uuid7(), 0.1) for _ in range(10_000))
    assert 800 < told < 1200
    assert not any(is_told(uuid7(), 0.0) for _ in range(100))
    assert is_told(UUID(int=2**128 - 1), 1.0)


def test_telling_needs_three_statements_however_many_orders(django_assert_num_queries: object) -> None:
    for _ in range(20):
        noted(order(), PLACED.done)
    with django_assert_num_queries(3):  # type: ignore[operator]
        assert len(told_by(0, 2**40)) == 20
    assert Order.objects.count() == TimelineEntry.objects.count() == 20


def test_a_missing_extra_is_said_in_a_sentence_and_only_to_who_asked(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert not lacking()
    settings.OTLP_ENDPOINT = "http://127.0.0.1:4318"  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match=r"pip install -r requirements-otel\.lock"):
        call_command("metrics")


def test_only_one_module_needs_the_extra_and_only_for_who_asked_is_it_imported() -> None:
    users = [
        path.relative_to(ROOT_OF_THE_PROJECT)
        for folder in ("shop", *shop_settings.SERVICES)
        for path in (ROOT_OF_THE_PROJECT / folder).rglob("*.py")
        if "import" in (text := path.read_text())
        and "from opentelemetry" in text
        and "tests" not in path.parts
    ]
    assert users == [Path("shop/web/tracing/otlp.py")]
    importers = [
        path.name
        for path in (ROOT_OF_THE_PROJECT / "shop").rglob("*.py")
        if "\nfrom shop.web.tracing.otlp import" in path.read_text()
    ]
    assert importers == []
