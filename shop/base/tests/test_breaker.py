"""A provider that is away is asked by one call now and then, and by all again once that was answered."""

from __future__ import annotations

from typing import Any

import pytest

from payments.models import Outage
from shop.base.breaker import IN_A_ROW, LOOKS_EVERY, Breaker
from shop.base.http import Client, Post
from shop.messaging import outages
from shop.messaging.outcomes import Fault, Unavailable
from shop.tests.messaging.samples import LONG_AGO
from shop.tools.up.ports import free_port
from tests.providers import merged

pytestmark = pytest.mark.django_db(databases="__all__")
WHO = "The provider"


def unreachable(breaker: Breaker, about: str = "an order") -> Fault:
    return breaker.in_vain(about, "can't be reached", nobody_there=True)


def silent(breaker: Breaker, about: str = "an order") -> Fault:
    return breaker.in_vain(about, "did not answer in time", nobody_there=False)


def test_few_calls_in_vain_are_the_callers_own_faults() -> None:
    breaker = Breaker("payments", WHO)
    for _ in range(10):
        for _ in range(IN_A_ROW - 1):
            fault = unreachable(breaker)
            assert type(fault) is Fault
            assert str(fault) == "The provider can't be reached."
        breaker.answered()
    assert breaker.allowed(50) == 50
    assert not Outage.objects.exists()


def test_what_comes_to_nothing_with_one_order_alone_may_lie_in_that_order() -> None:
    breaker = Breaker("payments", WHO)
    assert {type(silent(breaker)) for _ in range(20)} == {Fault}
    assert type(silent(breaker, "another order")) is Unavailable


def test_several_in_a_row_say_that_it_is_away_to_all_workers_and_one_tries_it() -> None:
    one, another = Breaker("payments", WHO), Breaker("payments", WHO)
    for breaker in (one, another):
        for _ in range(IN_A_ROW):
            fault = unreachable(breaker)
        assert isinstance(fault, Unavailable)
        assert str(fault).startswith("The provider has been down since ")
    assert Outage.objects.count() == 1
    assert (one.allowed(50), another.allowed(50)) == (0, 0)
    Outage.objects.update(probe_at=LONG_AGO)
    assert (one.allowed(50), another.allowed(50)) == (1, 0)
    one.answered()
    assert (one.allowed(50), another.allowed(50)) == (50, 50)


def test_an_outage_that_a_dead_worker_has_left_ends_with_anybodys_answer() -> None:
    outages.begin("payments", WHO, "can't be reached")
    breaker = Breaker("payments", WHO)
    breaker.answered()
    assert Outage.objects.exists()  # it does not look each time
    breaker._looked -= LOOKS_EVERY + 1
    breaker.answered()
    assert not Outage.objects.exists()


def test_an_outage_beyond_the_limit_is_an_attempt_in_vain(settings: Any) -> None:
    settings.OUTAGE_LIMIT = 0.0
    breaker = Breaker("payments", WHO)
    assert {type(unreachable(breaker)) for _ in range(IN_A_ROW)} == {Fault}


def test_of_a_set_the_provider_is_asked_no_more_once_it_is_known_to_be_away() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}", WHO, "payments")

    def asked() -> dict[str, object]:
        posts = {str(at): Post("/a", {}) for at in range(300)}
        return merged(client.post_each(posts, lambda reply: reply.status))

    answers = asked()
    assert len(answers) == 300
    assert all(isinstance(answer, Fault) for answer in answers.values())
    assert sum(isinstance(answer, Unavailable) for answer in answers.values()) >= 200
    assert all(isinstance(answer, Unavailable) for answer in asked().values())
    Outage.objects.update(probe_at=LONG_AGO)
    assert all(isinstance(answer, Unavailable) for answer in asked().values())
