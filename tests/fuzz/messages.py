"""Messages nobody should have sent: the arguments of every task there is, nearly right or not at all."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from hypothesis import strategies as st

from shop.messaging.tasks import service_of

SECRET = "ada.byron@secret.example"  # stands for people's data: no log may say it again
EVENTS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "contracts" / "events.json").read_text()
)
ORDER = ["00000000-0000-0000-0000-000000000001", "S-100001", "orchestration", None]

BAD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            -1,
            2**63,
            2**70,
            1e308,
            "",
            "\0",
            "\ud7ff",
            "\u202e",
            "\x1b[2J\nERROR x: y",
            "x" * 5000,
            SECRET,
        ),
        *(
            "not-a-uuid",
            "0" * 32,
            "2026-13-45T99:99:99Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:59",
            [],
            {},
            [[]],
        ),
        *(
            [None],
            {"": 1},
            ["a"] * 100,
            "{'a':1}",
            "'; DROP TABLE orders_order; --",
            "NaN",
            "S-100001",
            "choreography",
        ),
    ]
)
ANY = st.recursive(
    BAD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@cache
def tasks() -> dict[str, Any]:
    """All tasks of the five services, by name."""
    current_app.loader.import_default_modules()
    return {name: task for name, task in current_app.tasks.items() if service_of(name) in settings.SERVICES}


@st.composite
def broken(draw: st.DrawFn, payload: Any) -> Any:
    """The same, with something wrong anywhere in it."""
    match draw(st.integers(0, 5)), payload:
        case 0, _:
            return draw(ANY)
        case 1, dict() if payload:
            return {
                key: value for key, value in payload.items() if key != draw(st.sampled_from(sorted(payload)))
            }
        case 2, dict():
            return {**payload, draw(st.text(max_size=8) | st.just("schema_version")): draw(ANY)}
        case 3, list() if payload:
            return payload[: draw(st.integers(0, len(payload) - 1))]
        case _, dict() if payload:
            key = draw(st.sampled_from(sorted(payload)))
            return {**payload, key: draw(broken(payload[key]))}
        case _, list() if payload:
            at = draw(st.integers(0, len(payload) - 1))
            return [*payload[:at], draw(broken(payload[at])), *payload[at + 1 :]]
    return draw(ANY)


def event_of(name: str) -> dict[str, Any]:
    return EVENTS[name][0]


@st.composite
def arguments(draw: st.DrawFn, name: str) -> list[Any]:
    """Of one task: some that are right beside some that are not, so that it is seen what becomes of those."""
    kind = name.partition(".")[2]
    if kind.startswith("on."):
        right = event_of(kind.removeprefix("on."))
        some = draw(st.lists(broken(right) | st.just(right), min_size=1, max_size=4))
        text = json.dumps(some)
        return [draw(st.just(text) | st.just(text[:-1]) | ANY)] if draw(st.integers(0, 3)) == 0 else [text]
    if kind == "takes_note":
        some = draw(
            st.lists(st.sampled_from(sorted(EVENTS)).flatmap(lambda n: broken([n, event_of(n)])), max_size=4)
        )
        return [json.dumps(some)]
    return [draw(broken([ORDER, ORDER])), *draw(st.just([]) | st.lists(ANY, max_size=2))]
