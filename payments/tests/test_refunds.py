"""Refunds by the gateway, against the real sandbox process: before, after and beside the charge."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.gateway import Approved, Declined, Refund, Refunded, SandboxGateway
from payments.tests.asking import SLOW, ask_to_charge, ask_to_refund, charge, moved
from tests.providers import merged


def test_a_charge_is_refunded_once_however_often_and_under_whatever_key(
    gateway: SandboxGateway, key: str
) -> None:
    ask_to_charge(gateway, key)
    assert ask_to_refund(gateway, key) == Refunded(1999)
    assert ask_to_refund(gateway, key) == Refunded(1999)
    assert ask_to_refund(gateway, key, f"another-refund:{key}") == Refunded(1999)
    assert moved(gateway, key) == [("charge", 1999), ("refund", -1999)]


@pytest.mark.parametrize("method", ["pm_card_approved", "pm_card_slow", "pm_card_answer_lost"])
def test_a_charge_that_comes_after_its_refund_is_declined(
    gateway: SandboxGateway, key: str, method: str
) -> None:
    assert ask_to_refund(gateway, key) == Refunded(0)
    declined = ask_to_charge(gateway, key, method)
    assert isinstance(declined, Declined)
    assert declined.code == "voided"
    assert ask_to_refund(gateway, key) == Refunded(0)
    assert moved(gateway, key) == [("void", 0)]


def test_a_refund_of_a_declined_charge_gives_nothing_back(gateway: SandboxGateway, key: str) -> None:
    ask_to_charge(gateway, key, "pm_card_declined")
    assert ask_to_refund(gateway, key) == Refunded(0)
    assert moved(gateway, key) == [("void", 0)]


def test_a_slow_charge_overtaken_by_its_refund_is_declined_and_no_money_moves(
    gateway: SandboxGateway, key: str
) -> None:
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(ask_to_charge, gateway, key, "pm_card_slow")
        time.sleep(SLOW / 2)
        assert ask_to_refund(gateway, key) == Refunded(0)
        declined = late.result()
    assert isinstance(declined, Declined)
    assert declined.code == "voided"
    assert sum(row.amount_minor for row in gateway.ledger() if row.charge_key == key) == 0
    assert moved(gateway, key) == [("void", 0)]


def test_charges_and_refunds_racing_for_the_same_keys_always_net_to_zero(
    gateway: SandboxGateway, key: str
) -> None:
    keys = [f"{key}:{number}" for number in range(40)]
    with ThreadPoolExecutor(2) as threads:
        charged = threads.submit(lambda: merged(gateway.charge([charge(each) for each in keys])))
        refunds = [Refund(f"refund:{each}", each) for each in reversed(keys)]
        refunded = threads.submit(lambda: merged(gateway.refund(refunds)))
    assert {type(answer) for answer in charged.result().values()} <= {Approved, Declined}
    for each in keys:
        was_charged = isinstance(charged.result()[each], Approved)
        assert refunded.result()[f"refund:{each}"] == Refunded(1999 if was_charged else 0)
        assert moved(gateway, each) == (
            [("charge", 1999), ("refund", -1999)] if was_charged else [("void", 0)]
        )
