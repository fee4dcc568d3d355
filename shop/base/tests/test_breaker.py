"""A provider that is away is asked by one call now and then, and by all again once that was answered."""

from __future__ import annotations

import pytest

from payments.models import Outage
from shop.base.breaker import IN_A_ROW, Breaker
from shop.base.http import Client, Post
from shop.messaging.outcomes import Fault, Unavailable
from shop.tests.messaging.samples import LONG_AGO
from shop.tools.up.ports import free_port
from tests.providers import merged

pytestmark = pytest.mark.django_db(databases="__all__")
WHO = "The provider"


def test_few_calls_in_vain_are_the_callers_own_faults() -> None:
    breaker = Breaker("payments", WHO)
    for _ in range(10):
        for _ in range(IN_A_ROW - 1):
            fault = breaker.in_vain("did not answer in time")
            assert type(fault) is Fault
            assert str(fault) == "The provider did not answer in time."
        breaker.answered()
    assert breaker.allowed(50) == 50
    assert not Outage.objects.exists()


def test_several_in_a_row_say_that_it_is_away_to_all_workers_and_one_tries_it() -> None:
    one, another = Breaker("payments", WHO), Breaker("payments", WHO)
    for breaker in (one, another):
        for _ in range(IN_A_ROW):
            fault = breaker.in_vain("can't be reached")
        assert isinstance(fault, Unavailable)
        assert str(fault).startswith("The provider is down since ")
    assert Outage.objects.count() == 1
    assert (one.allowed(50), another.allowed(50)) == (0, 0)
    Outage.objects.update(probe_at=LONG_AGO)
    assert (one.allowed(50), another.allowed(50)) == (1, 0)
    one.answered()
    assert (one.allowed(50), another.allowed(50)) == (50, 50)


def test_an_outage_beyond_the_limit_is_an_attempt_in_vain(settings: object) -> None:
    settings.OUTAGE_LIMIT = 0.0  # type: ignore[attr-defined]
    breaker = Breaker("payments", WHO)
    faults = [breaker.in_vain("can't be reached") for _ in range(IN_A_ROW)]
    assert {type(fault) for fault in faults} == {Fault}


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
