"""The two lanes: what is ticked, and what is not."""

from __future__ import annotations

from orders.lanes import steps_reached, steps_undone
from orders.models import Saga, TimelineEntry


def timeline(*events: str) -> list[TimelineEntry]:
    return [TimelineEntry(event=event) for event in events]


def ticked(saga: Saga, *events: str) -> list[str]:
    return [words for words, reached in steps_reached(saga, timeline(*events)) if reached]


def test_all_steps_up_to_the_one_reached_are_ticked() -> None:
    assert ticked(Saga(step="labelled")) == ["placed", "reserved", "paid", "labelled"]


def test_a_step_that_was_overtaken_is_ticked_when_it_is_done() -> None:
    assert "dispatched" not in ticked(Saga(step="confirmed"), "OrderShipped", "ConfirmationSent")
    assert "dispatched" in ticked(
        Saga(step="confirmed"), "OrderShipped", "ConfirmationSent", "StockDispatched"
    )


def test_a_refusal_skips_what_it_has_not_to_undo() -> None:
    assert steps_undone(Saga(step="reserved"), []) == []
    lane = steps_undone(
        Saga(step="reserved", undo="released"), timeline("PaymentFailed", "InventoryReleased")
    )
    assert lane == [
        ("undo begun", "skipped"),
        ("shipping stopped", "skipped"),
        ("payment undone", "done"),
        ("stock released", "done"),
        ("cancelled", "ahead"),
        ("customer told", "ahead"),
    ]
