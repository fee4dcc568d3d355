"""How it stands with an order: badge, list and sentence say the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order, Saga
from orders.telling.situation import Elsewhere, Situation, badge, cancellation, situation
from orders.telling.trouble import in_short, why_it_waits
from shop.messaging.outages import Outage

NOW = timezone.now()
SOON, LONG_AGO = NOW + timedelta(seconds=9), NOW - timedelta(minutes=2)
DOWN = Outage("The payment provider", LONG_AGO, "does not answer", probe_due=False, is_waited_for=True)

CASES: list[tuple[Situation, dict[str, Any], str, str, str]] = [
    # saga, badge's level, words in the list, words in the sentence
    (Situation.MOVING, {}, "fine", "reserved, waits for payments", "has waited for payments"),
    (Situation.UNDOING, {"undo": "requested", "reason": "cancelled by staff"}, "undone",
     "being undone: cancelled by staff", "is being undone (cancelled by staff)"),
    (Situation.QUEUEING, {"queueing": {"payments": 340}}, "waiting", "behind 340 messages", "It waits its turn: 340"),
    (Situation.RETRYING, {"attempt": 2, "last_error": "payments.take_payment: broken."}, "waiting",
     "broken (reserved, waits for payments, attempt 3)", "attempt 3."),
    (Situation.OVERDUE, {"deadline": LONG_AGO}, "trouble", "overdue", "is a relay running?"),
    (Situation.OVERDUE, {"deadline": None}, "trouble", "overdue", "has no deadline: resume it"),
    (Situation.SILENT, {"silent": True, "deadline": LONG_AGO}, "trouble", "which is silent", "taken up again now"),
    (Situation.PROVIDER_AWAY, {"away": {"payments": DOWN}, "attempt": 1}, "waiting",
     f"{DOWN.in_short} (reserved, waits for payments)", "goes on by itself"),
    (Situation.PARKED, {"state": "parked", "away": {"payments": DOWN}, "last_error": "broken"}, "trouble",
     "broken (after reserved)", "parked and waits for a person"),
    (Situation.NEEDS_ATTENTION, {"state": "attention", "undo": "stopped", "last_error": "no"}, "trouble",
     "Owed: refund of", "has failed for good"),
    (Situation.CANCELLED, {"state": "ended", "undo": "notified", "reason": "out of stock"}, "undone",
     "out of stock", "nothing left to do"),
    (Situation.COMPLETED, {"state": "ended", "deadline": LONG_AGO}, "done", "", "nothing left to do"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "so", "level", "listed", "said"),
    CASES,
    ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)],
)
def test_badge_list_and_sentence_agree(
    order: Order, expected: Situation, so: dict[str, Any], level: str, listed: str, said: str
) -> None:
    so = {"step": "reserved", "deadline": SOON, **so}
    silent = {order.uuid} if so.pop("silent", False) else set()
    around = Elsewhere(NOW, so.pop("away", {}), silent, so.pop("queueing", {}))
    for name, value in so.items():
        setattr(order.saga, name, value)
    assert situation(order, around) == expected
    shown, words = badge(order, around)
    assert (shown, words) == (level, order.status if expected == Situation.MOVING else expected.value)
    assert listed in in_short(order, around)[1]
    assert any(said in finding.text for finding in why_it_waits(order, around))


def test_of_a_refusal_no_undo_is_told_that_undid_nothing(order: Order) -> None:
    """A declined card leads past the refund: the order was never paid."""
    order.saga.step, order.saga.undo, order.saga.reason = "reserved", "refunded", "The card was declined."
    order.saga.deadline = SOON
    around = Elsewhere(NOW, {}, (), {})
    assert in_short(order, around)[1] == "being undone: The card was declined, waits for inventory"
    assert "refund" not in why_it_waits(order, around)[0].text
    assert cancellation(order.saga) == {"reason": "The card was declined.", "by": "shop"}
    assert cancellation(Saga()) is None
