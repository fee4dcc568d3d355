"""What is published tells what led to it, and takes nothing for true that a message merely claims."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from shop.messaging import origins
from shop.messaging.commands import decode, encode
from shop.messaging.events import Ref
from shop.messaging.origins import Origin, at_work, led_to, origin, waiting_outside

ORDER, OTHER, FIRST, SECOND = uuid4(), uuid4(), uuid4(), uuid4()


def test_outside_of_any_work_nothing_has_led_to_it() -> None:
    with waiting_outside():
        assert origin(ORDER) is None
    led_to([(ORDER, FIRST)])
    assert origin(ORDER) is None


def test_one_thing_leads_to_the_next_and_each_order_has_its_own() -> None:
    with at_work({ORDER: FIRST}):
        with at_work({ORDER: SECOND}), waiting_outside():
            pass
        found, other = origin(ORDER), origin(OTHER)
        assert found
        assert other
        assert (found.cause, other.cause, found.outside) == (FIRST, None, 0.0)
        led_to([(ORDER, SECOND)])
        set_of_orders = encode([Ref(ORDER, "S-1", "s"), Ref(OTHER, "S-2", "s")])
    assert decode(set_of_orders) == ([Ref(ORDER, "S-1", "s"), Ref(OTHER, "S-2", "s")], {ORDER: SECOND}, {})


def test_a_set_that_an_earlier_version_has_sent_is_read() -> None:
    assert decode([[str(ORDER), "S-1", "s"]]) == ([Ref(ORDER, "S-1", "s")], {}, {})


@pytest.mark.parametrize(
    ("id", "sent"),
    [("no id", "noon"), (None, None), ("", -1), ("7", float("nan")), ("{}", float("inf")), ("x", [1])],
)
def test_a_stranger_s_message_leaves_both_open(id: Any, sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Request(SimpleNamespace):
        def get(self, name: str) -> Any:
            return getattr(self, name)

    monkeypatch.setattr(origins, "current_task", SimpleNamespace(request=Request(id=id, sent=sent)))
    with at_work({ORDER: FIRST}):
        found = origin(ORDER)
    assert found == Origin(FIRST, None, None, found.began if found else None)
