"""The gateway against the real sandbox process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from payments.gateway import Approved, Declined, Movement, SandboxGateway
from payments.tests.asking import SLOW, ask_to_charge, ask_to_refund, charge, moved
from shop.messaging.outcomes import Fault
from shop.tools.up.ports import free_port
from tests.providers import merged, running_provider


def test_an_approved_card_is_charged_once_however_often_it_is_asked(
    gateway: SandboxGateway, key: str
) -> None:
    first = ask_to_charge(gateway, key)
    assert isinstance(first, Approved)
    assert first.reference.startswith("ch_")
    assert ask_to_charge(gateway, key) == first
    [row] = [row for row in gateway.ledger() if row.key == key]
    assert row == Movement(row.id, "charge", key, key, f"order of {key}", 1999, "EUR", row.at)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("pm_card_declined", "card_declined"),
        ("pm_card_insufficient_funds", "insufficient_funds"),
        ("pm_card_no_such_thing", "invalid_payment_method"),
    ],
)
def test_a_declined_card_is_not_charged(gateway: SandboxGateway, key: str, method: str, code: str) -> None:
    first = ask_to_charge(gateway, key, method)
    assert isinstance(first, Declined)
    assert first.code == code
    assert ask_to_charge(gateway, key, method) == first
    assert moved(gateway, key) == []


def test_a_key_used_for_something_else_is_a_fault_and_charges_nothing(
    gateway: SandboxGateway, key: str
) -> None:
    ask_to_charge(gateway, key)
    fault = ask_to_charge(gateway, key, amount=2000)
    assert isinstance(fault, Fault)
    assert "other parameters" in str(fault)
    assert moved(gateway, key) == [("charge", 1999)]


def test_a_refund_key_used_for_another_charge_is_a_fault(gateway: SandboxGateway, key: str) -> None:
    ask_to_charge(gateway, key)
    ask_to_refund(gateway, f"{key}:other", f"refund:{key}")
    fault = ask_to_refund(gateway, key, f"refund:{key}")
    assert isinstance(fault, Fault)
    assert "other parameters" in str(fault)
    assert moved(gateway, key) == [("charge", 1999)]


def test_a_lost_answer_is_a_fault_and_asking_again_charges_once(gateway: SandboxGateway, key: str) -> None:
    assert isinstance(ask_to_charge(gateway, key, "pm_card_answer_lost"), Fault)
    assert moved(gateway, key) == [("charge", 1999)]
    assert isinstance(ask_to_charge(gateway, key, "pm_card_answer_lost"), Approved)
    assert moved(gateway, key) == [("charge", 1999)]


def test_a_slow_card_is_approved_late_and_answered_at_once_the_second_time(
    gateway: SandboxGateway, key: str
) -> None:
    start = time.monotonic()
    assert isinstance(ask_to_charge(gateway, key, "pm_card_slow"), Approved)
    middle = time.monotonic()
    assert isinstance(ask_to_charge(gateway, key, "pm_card_slow"), Approved)
    assert middle - start >= SLOW
    assert time.monotonic() - middle < SLOW


def test_a_key_that_is_being_processed_is_a_fault(gateway: SandboxGateway, key: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ask_to_charge, gateway, key, "pm_card_slow")
        time.sleep(SLOW / 2)
        second = ask_to_charge(gateway, key, "pm_card_slow")
        assert isinstance(first.result(), Approved)
    assert isinstance(second, Fault)
    assert "busy" in str(second)
    assert moved(gateway, key) == [("charge", 1999)]


def test_a_provider_that_is_down_charges_once_it_is_back_even_over_its_restart(tmp_path: Path) -> None:
    with running_provider("payments", tmp_path, down=1.5) as provider:
        gateway = SandboxGateway(provider.url)
        start = time.monotonic()
        assert isinstance(ask_to_charge(gateway, "k", "pm_card_provider_down"), Fault)
        provider.kill()
        provider.restart()
        assert isinstance(ask_to_charge(gateway, "k", "pm_card_provider_down"), Fault)
        assert moved(gateway, "k") == []
        time.sleep(max(0.0, start + 1.6 - time.monotonic()))
        assert isinstance(ask_to_charge(gateway, "k", "pm_card_provider_down"), Approved)
        assert moved(gateway, "k") == [("charge", 1999)]


def test_many_charges_take_the_time_of_the_slowest_and_each_has_its_own_answer(
    gateway: SandboxGateway, key: str
) -> None:
    slow = [charge(f"{key}:slow{number}", "pm_card_slow") for number in range(5)]
    others = [charge(f"{key}:lost", "pm_card_answer_lost"), charge(f"{key}:no", "pm_card_declined")]
    start = time.monotonic()
    answers = merged(gateway.charge([*slow, *others, charge(f"{key}:yes")]))
    assert time.monotonic() - start < SLOW * 2
    assert {name: type(answer) for name, answer in answers.items()} == {
        **{each.key: Approved for each in slow},
        f"{key}:lost": Fault,
        f"{key}:no": Declined,
        f"{key}:yes": Approved,
    }


def test_as_many_slow_charges_as_are_allowed_take_the_time_of_one(
    gateway: SandboxGateway, key: str, settings: Any
) -> None:
    slow = [charge(f"{key}:{number}", "pm_card_slow") for number in range(settings.PROVIDER_CALLS_AT_ONCE)]
    start = time.monotonic()
    answers = merged(gateway.charge(slow))
    assert time.monotonic() - start < SLOW * 3
    assert {type(answer) for answer in answers.values()} == {Approved}


def test_nothing_answered_is_lost_when_the_provider_is_killed(tmp_path: Path) -> None:
    with running_provider("payments", tmp_path) as provider:
        gateway = SandboxGateway(provider.url)
        answers: dict[str, Approved | Declined | Fault] = {}
        with ThreadPoolExecutor(1) as threads:

            def keep_charging() -> None:
                for start in range(0, 400, 8):
                    answers.update(
                        merged(gateway.charge([charge(f"k{start + number}") for number in range(8)]))
                    )

            charging = threads.submit(keep_charging)
            while len(answers) < 40 and not charging.done():
                time.sleep(0.005)
            provider.kill()
            charging.result()
        provider.restart()
        approved = {key for key, answer in answers.items() if isinstance(answer, Approved)}
        assert 0 < len(approved) < 400
        assert approved <= {row.key for row in gateway.ledger()}
        again = merged(gateway.charge([charge(key) for key in answers]))
        assert all(isinstance(answer, Approved) for answer in again.values())
        assert {key: again[key] for key in approved} == {key: answers[key] for key in approved}
        assert [row.kind for row in gateway.ledger()] == ["charge"] * 400


def test_the_ledger_is_read_page_by_page(
    gateway: SandboxGateway, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged(gateway.charge([charge(f"{key}:{number}") for number in range(7)]))
    whole = list(gateway.ledger())
    monkeypatch.setattr("shop.base.providers.PAGE_SIZE", 3)
    assert list(gateway.ledger()) == whole
    assert [row.id for row in whole] == sorted({row.id for row in whole})


def test_a_provider_that_is_not_there_is_a_fault() -> None:
    gateway = SandboxGateway(f"http://127.0.0.1:{free_port()}")
    fault = ask_to_charge(gateway, "k")
    assert isinstance(fault, Fault)
    assert str(fault) == "The payment provider can't be reached."
    with pytest.raises(Fault):
        list(gateway.ledger())


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
def test_an_amount_that_makes_no_sense_is_a_fault_that_names_it(
    gateway: SandboxGateway, key: str, amount: int
) -> None:
    fault = ask_to_charge(gateway, key, amount=amount)
    assert isinstance(fault, Fault)
    assert "amount_minor" in str(fault)
    assert moved(gateway, key) == []
