"""What is wrong with events and their receivers is said at startup."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.core.checks import run_checks

from shop.messaging.events import Event, registry
from shop.messaging.when import when
from shop.tests.messaging.samples import Rang


def test_connecting_a_receiver_twice_fails_at_startup() -> None:
    def twice(events: Sequence[Event]) -> None: ...

    when(Rang)(twice)
    with pytest.raises(TypeError, match="would never be called"):
        when(Rang)(twice)


def test_two_event_types_of_one_name_fail_at_startup() -> None:
    with pytest.raises(TypeError, match="Two event types are called Rang"):
        type("Rang", (Event,), {})


def test_an_event_nobody_hears_is_found_at_startup() -> None:
    class Unheard(Event, frozen=True, kw_only=True):
        pass

    try:
        assert any("No receiver hears Unheard" in str(error.msg) for error in run_checks())
    finally:
        del registry["Unheard"]
