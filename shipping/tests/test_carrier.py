"""The carrier's client against the real sandbox process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shipping.carrier import (
    Address,
    HandedOver,
    Label,
    LabelRefused,
    LabelRequest,
    SandboxCarrier,
    TooLate,
    Voided,
)
from shop.messaging.outcomes import Fault
from shop.tools.up.ports import free_port
from shop.tools.up.servers import Server
from tests.providers import merged, running_provider

SLOW = 0.5


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_provider("carrier", tmp_path_factory.mktemp("carrier"), slow=SLOW, down=0.6) as it:
        yield it


@pytest.fixture
def carrier(shared: Server) -> SandboxCarrier:
    return SandboxCarrier(shared.url)


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    return f"parcel:{request.node.name}".replace(" ", "-")


def parcel(key: str, postcode: str = "10115", city: str = "Berlin") -> LabelRequest:
    return LabelRequest(
        key, f"order of {key}", "north", Address("Ada Doe", "1 Main St", city, postcode, "DE")
    )


def ask_for_label(carrier: SandboxCarrier, key: str, postcode: str = "10115", city: str = "Berlin") -> object:
    return merged(carrier.create_labels([parcel(key, postcode, city)]))[key]


def happened(carrier: SandboxCarrier, key: str) -> list[str]:
    return [row.kind for row in carrier.ledger() if row.key == key]


def test_a_parcel_gets_one_label_however_often_it_is_asked(carrier: SandboxCarrier, key: str) -> None:
    label = ask_for_label(carrier, key)
    assert isinstance(label, Label)
    assert ask_for_label(carrier, key) == label
    [row] = [row for row in carrier.ledger() if row.key == key]
    assert (row.kind, row.order_number, row.tracking) == ("label", f"order of {key}", label.tracking)


@pytest.mark.parametrize(
    ("postcode", "reason"), [("REFUSE1", "address not served"), ("", "address incomplete")]
)
def test_an_address_can_be_refused(carrier: SandboxCarrier, key: str, postcode: str, reason: str) -> None:
    assert ask_for_label(carrier, key, postcode) == LabelRefused(reason)
    assert ask_for_label(carrier, key, postcode) == LabelRefused(reason)
    assert happened(carrier, key) == []


def test_a_key_used_for_another_address_is_a_fault(carrier: SandboxCarrier, key: str) -> None:
    ask_for_label(carrier, key)
    fault = ask_for_label(carrier, key, city="Bonn")
    assert isinstance(fault, Fault)
    assert "other parameters" in str(fault)
    assert happened(carrier, key) == ["label"]


def test_a_lost_answer_is_a_fault_and_asking_again_makes_no_second_label(
    carrier: SandboxCarrier, key: str
) -> None:
    assert isinstance(ask_for_label(carrier, key, "LOST1"), Fault)
    assert happened(carrier, key) == ["label"]
    assert isinstance(ask_for_label(carrier, key, "LOST1"), Label)
    assert happened(carrier, key) == ["label"]


def test_a_carrier_that_is_down_makes_the_label_once_it_is_back(carrier: SandboxCarrier, key: str) -> None:
    assert isinstance(ask_for_label(carrier, key, "DOWN1"), Fault)
    assert happened(carrier, key) == []
    time.sleep(0.7)
    assert isinstance(ask_for_label(carrier, key, "DOWN1"), Label)


def test_a_void_label_is_not_given_out_again_and_not_handed_over(carrier: SandboxCarrier, key: str) -> None:
    ask_for_label(carrier, key)
    assert merged(carrier.void([key])) == {key: Voided()}
    assert merged(carrier.void([key])) == {key: Voided()}
    assert ask_for_label(carrier, key) == LabelRefused("voided")
    assert isinstance(merged(carrier.hand_over([key]))[key], Fault)
    assert happened(carrier, key) == ["label", "void"]


@pytest.mark.parametrize("postcode", ["10115", "SLOW1", "LOST1"])
def test_a_label_asked_for_after_its_void_is_refused(
    carrier: SandboxCarrier, key: str, postcode: str
) -> None:
    assert merged(carrier.void([key])) == {key: Voided()}
    assert ask_for_label(carrier, key, postcode) == LabelRefused("voided")
    assert happened(carrier, key) == ["void"]


def test_a_slow_label_overtaken_by_its_void_is_refused(carrier: SandboxCarrier, key: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(ask_for_label, carrier, key, "SLOW1")
        time.sleep(SLOW / 2)
        assert merged(carrier.void([key])) == {key: Voided()}
        assert late.result() == LabelRefused("voided")
    assert happened(carrier, key) == ["void"]


def test_a_refused_parcel_can_be_voided(carrier: SandboxCarrier, key: str) -> None:
    ask_for_label(carrier, key, "REFUSE")
    assert merged(carrier.void([key])) == {key: Voided()}
    assert happened(carrier, key) == ["void"]


def test_after_the_hand_over_a_void_is_too_late(carrier: SandboxCarrier, key: str) -> None:
    label = ask_for_label(carrier, key)
    assert merged(carrier.hand_over([key])) == {key: HandedOver()}
    assert merged(carrier.hand_over([key])) == {key: HandedOver()}
    assert merged(carrier.void([key])) == {key: TooLate()}
    assert ask_for_label(carrier, key) == label
    assert happened(carrier, key) == ["label", "handover"]


def test_a_parcel_that_cant_be_handed_over_is_named_and_holds_up_no_other(
    carrier: SandboxCarrier, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipping.carrier.HAND_OVER_AT_ONCE", 3)
    good = [f"{key}:{number}" for number in range(5)]
    merged(carrier.create_labels([parcel(each) for each in [*good, f"{key}:void"]]))
    merged(carrier.void([f"{key}:void"]))
    asked = [good[0], f"{key}:unknown", good[1], f"{key}:void", *good[2:]]
    answers = merged(carrier.hand_over(asked))
    assert set(answers) == set(asked)
    assert {answers[each] for each in good} == {HandedOver()}
    assert (
        str(answers[f"{key}:unknown"]) == f"The carrier can't take over parcel {key}:unknown: it is unknown."
    )
    assert str(answers[f"{key}:void"]) == f"The carrier can't take over parcel {key}:void: it is voided."
    assert [happened(carrier, each)[-1:] for each in asked] == [
        ["handover"],
        [],
        ["handover"],
        ["void"],
        ["handover"],
        ["handover"],
        ["handover"],
    ]


def test_voids_and_hand_overs_racing_for_the_same_parcels_agree(carrier: SandboxCarrier, key: str) -> None:
    keys = [f"{key}:{number}" for number in range(40)]
    merged(carrier.create_labels([parcel(each) for each in keys]))

    def hand_over(each: str) -> dict[str, HandedOver | Fault]:
        return merged(carrier.hand_over([each]))

    with ThreadPoolExecutor(2) as threads:
        voided = threads.submit(lambda: merged(carrier.void(keys)))
        handed = [threads.submit(hand_over, each) for each in reversed(keys)]
    handovers = {each: answer for future in handed for each, answer in future.result().items()}
    for each in keys:
        is_void = voided.result()[each] == Voided()
        assert isinstance(handovers[each], Fault if is_void else HandedOver)
        assert happened(carrier, each) == ["label", "void" if is_void else "handover"]


def test_many_labels_take_the_time_of_the_slowest_and_each_has_its_own_answer(
    carrier: SandboxCarrier, key: str
) -> None:
    postcodes = ["SLOW", "SLOW", "SLOW", "slow", "10115", "REFUSE", "LOST", "DOWN"]
    keys = [f"{key}:{at}" for at in range(8)]
    start = time.monotonic()
    answers = merged(carrier.create_labels([parcel(*each) for each in zip(keys, postcodes, strict=True)]))
    assert time.monotonic() - start < SLOW * 2
    assert [type(answers[each]) for each in keys] == [Label] * 5 + [LabelRefused, Fault, Fault]


def test_the_books_survive_a_kill_and_hold_no_address(tmp_path: Path) -> None:
    with running_provider("carrier", tmp_path) as provider:
        carrier = SandboxCarrier(provider.url)
        merged(carrier.create_labels([parcel("made"), parcel("left"), parcel("refused", "REFUSE")]))
        merged(carrier.hand_over(["left"]))
        merged(carrier.void(["never"]))
        before = list(carrier.ledger())
        assert len(before) == 4
        provider.kill()
        provider.restart()
        assert list(carrier.ledger()) == before
        assert merged(carrier.void(["left"])) == {"left": TooLate()}
        assert ask_for_label(carrier, "never") == LabelRefused("voided")
    with sqlite3.connect(tmp_path / "carrier.sqlite3") as books:
        written = "\n".join(books.iterdump())
    books.close()
    assert "made" in written
    for part in ("Ada", "Main St", "Berlin", "10115"):
        assert part not in written


def test_the_ledger_is_read_page_by_page(
    carrier: SandboxCarrier, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(carrier.create_labels([parcel(f"{key}:{number}") for number in range(7)]))
    whole = list(carrier.ledger())
    monkeypatch.setattr("shop.base.providers.PAGE_SIZE", 3)
    assert list(carrier.ledger()) == whole


def test_a_carrier_that_is_not_there_is_a_fault_for_every_key(db: None) -> None:
    carrier = SandboxCarrier(f"http://127.0.0.1:{free_port()}")
    answers = {**merged(carrier.hand_over(["a", "b"])), **merged(carrier.void(["c", "d"]))}
    first, *others = (str(answer) for answer in answers.values())
    assert first == "The carrier can't be reached."
    assert others[-1].startswith("The carrier has been down since")
    assert set(answers) == {"a", "b", "c", "d"}
