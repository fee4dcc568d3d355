"""A carrier that takes its time with some parcels of a set: what is known of the others is recorded, and acted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from celery import current_app

from payments.events import PaymentProcessed
from shipping import services
from shipping.carrier import HandedOver, LabelRefused
from shipping.models import Inbox
from shipping.services import create_labels, hand_over, stop_shipping
from shipping.tests.traces import Decisive, LeavesOut, OneAfterTheOther, parcels, state, told
from shop.messaging.subscriptions import task_name

OPERATIONS = {
    "create_labels": ([], create_labels, "ParcelsLabelled"),
    "hand_over": ([create_labels], hand_over, "OrderShipped"),
    "stop_shipping": ([create_labels], stop_shipping, "ShippingStopped"),
}
each_operation = pytest.mark.parametrize(
    ("before", "operation", "event"), OPERATIONS.values(), ids=OPERATIONS
)


@pytest.fixture
def two(paid: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Orders of two parcels each."""
    monkeypatch.setattr(services, "carrier", Decisive)
    return [paid(), paid()]


@each_operation
def test_an_order_with_all_its_answers_is_recorded_while_another_is_still_at_the_carrier(
    two: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    before: list[Callable[..., Any]],
    operation: Callable[..., Any],
    event: str,
) -> None:
    for earlier in before:
        earlier(two)
    seen: list[list[bool]] = []
    slow = OneAfterTheOther(lambda: seen.append([event in told(ref) for ref in two]))
    monkeypatch.setattr(services, "carrier", lambda: slow)
    assert operation(two).done == two
    assert seen == [[False, False], [False, False], [True, False], [True, False]]
    assert [told(ref).count(event) for ref in two] == [1, 1]


@each_operation
def test_an_order_with_a_parcel_of_which_the_carrier_says_nothing_is_not_done(
    two: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    before: list[Callable[..., Any]],
    operation: Callable[..., Any],
    event: str,
) -> None:
    for earlier in before:
        earlier(two)
    monkeypatch.setattr(services, "carrier", LeavesOut)
    outcome = operation(two)
    assert (outcome.done, list(outcome.faults)) == (two[:1], two[1:])
    assert [told(ref).count(event) for ref in two] == [1, 0]


class RefusesTheFirst(OneAfterTheOther):
    def create_labels(self, requests: Any) -> Any:
        first, *rest = requests
        yield {first.key: LabelRefused("address not served")}
        yield from super().create_labels(rest)


def test_a_label_that_comes_after_another_parcels_refusal_is_void(
    two: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "carrier", RefusesTheFirst)
    outcome = create_labels(two)
    assert (outcome.refused, outcome.done) == (two[:1], two[1:])
    assert [(state(ref), parcels(ref)) for ref in two] == [
        ("failed", ["void"] * 2),
        ("labelled", ["labelled"] * 2),
    ]
    assert [told(ref) for ref in two] == [["ShippingFailed"], ["ParcelsLabelled"]]


def test_an_order_leaves_while_another_of_its_message_waits_for_a_label(
    two: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In choreography shipping takes its own ParcelsLabelled without a message."""
    seen: list[list[str]] = []

    class Slow(OneAfterTheOther):
        def create_labels(self, requests: Any) -> Any:
            for answers in super().create_labels(requests):
                yield answers
                seen.append([state(ref) for ref in two])

        def hand_over(self, keys: Any) -> Any:
            yield {key: HandedOver() for key in keys}

    monkeypatch.setattr(services, "carrier", Slow)
    # Nobody else need hear of it.
    monkeypatch.setattr("shop.messaging.sending.send", lambda *letters, **how: None)
    paid_for = [PaymentProcessed(ref=ref, amount_minor=1000, currency="GBP") for ref in two]
    deliver = current_app.tasks[task_name("shipping", "PaymentProcessed")]
    deliver(msgspec.json.encode(paid_for).decode())
    assert seen == [
        ["planned", "planned"],
        ["handed_over", "planned"],
        ["handed_over", "planned"],
        ["handed_over", "handed_over"],
    ]
    assert [told(ref) for ref in two] == [["ParcelsLabelled", "OrderShipped"]] * 2
    assert Inbox.objects.filter(state="done").count() == 4
