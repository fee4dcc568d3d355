"""Copies of a message, as a worker that has handled one sees them."""

from __future__ import annotations

import pytest

from shop.messaging import doubles

SAYS, OTHER = b"[[],{},{}]", b"[[1],{},{}]"


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in ("_open", "_done"):
        monkeypatch.setattr(doubles, known, {})


def test_what_was_handled_without_an_error_is_let_go() -> None:
    assert not doubles.is_copy("1", SAYS)
    assert not doubles.is_copy("1", SAYS)  # the first one failed
    doubles.handled("1")
    assert doubles.is_copy("1", SAYS)


def test_another_message_with_the_same_id_is_none() -> None:
    doubles.is_copy("1", SAYS)
    doubles.handled("1")
    assert not doubles.is_copy("1", OTHER)
    doubles.handled("1")
    assert doubles.is_copy("1", OTHER)


def test_of_what_is_of_no_use_each_copy_counts() -> None:
    doubles.is_copy("1", SAYS)
    doubles.not_handled("1")
    doubles.handled("1")
    assert not doubles.is_copy("1", SAYS)


def test_only_the_latest_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubles, "KNOWN", 2)
    for id in ("1", "2", "3"):
        doubles.is_copy(id, SAYS)
        doubles.handled(id)
    assert [doubles.is_copy(id, SAYS) for id in ("1", "2", "3")] == [False, True, True]
