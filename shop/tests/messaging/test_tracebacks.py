"""Where an error came from is kept with the failure, and nothing of the data it met."""

from __future__ import annotations

import pytest
from celery import current_app

from payments.models import Outbox
from shop.messaging import delivery
from shop.messaging.commands import encode
from shop.messaging.outcomes import Fault, Outcome, Unavailable
from shop.messaging.tracebacks import MOST_FRAMES, MOST_LETTERS, trace
from shop.tests.messaging.samples import Rang, ref, subscription

SECRET = "4242 4242"


def deep(levels: int) -> None:
    card = SECRET
    if not levels:
        raise ValueError(f"no number\n{card}")
    deep(levels - 1)


def caught(levels: int) -> Exception:
    try:
        try:
            deep(levels)
        except ValueError as error:
            raise Fault("The provider's answer can't be read.") from error
    except Fault as fault:
        return fault
    raise AssertionError


def test_a_trace_tells_the_way_of_an_error_and_of_what_led_to_it_without_values() -> None:
    first, *rest = trace(caught(2)).splitlines()
    assert first.startswith("shop/tests/messaging/test_tracebacks.py:")
    assert first.endswith("in caught")
    assert "ValueError: no number" in rest
    assert rest[-1] == "The provider's answer can't be read."
    assert SECRET not in trace(caught(2))


def test_a_trace_is_bounded() -> None:
    told = trace(caught(200))
    assert len(told) <= MOST_LETTERS
    assert told.count("in deep") <= MOST_FRAMES
    assert trace(Fault("answered, not raised")) == ""


def react(orders: object) -> Outcome:
    raise RuntimeError("broken")


@pytest.mark.django_db(databases="__all__")
def test_a_failed_reaction_and_a_failed_command_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.services.ask", lambda *asked: react(asked))
    delivery.receive(subscription(react), [Rang(ref=ref())])
    current_app.tasks["payments.take_payment"].run(encode([ref()]))
    told = [row.payload["trace"].splitlines() for row in Outbox.objects.filter(type="StepFailed")]
    assert len(told) == 2
    for lines in told:
        assert any("in react" in line for line in lines)
        assert lines[-1] == "RuntimeError: broken"


@pytest.mark.django_db(databases="__all__")
def test_an_outage_keeps_none_as_it_may_hold_up_very_many_orders() -> None:
    def away(orders: object) -> Outcome:
        raise Unavailable("The provider is down.")

    delivery.receive(subscription(away), [Rang(ref=ref())])
    told = Outbox.objects.get(type="StepFailed").payload
    assert (told["waits"], told["trace"]) == (True, "")
