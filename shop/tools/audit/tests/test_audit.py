"""The audit finds every broken promise, says which order it is, and raises no false alarm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from inventory.models import Inbox
from notifications.models import Notification
from orders.models import Order, Outbox, Saga
from payments.gateway import Charge, gateway
from payments.models import Payment
from shipping.carrier import LabelRequest, carrier
from shop.messaging import subscriptions
from shop.messaging.tables import inbox_of
from shop.tools.audit.findings import Promise
from shop.tools.audit.ledgers import Ledgers, read_ledgers, unaccounted
from shop.tools.audit.tests.consistent import ADDRESS, Shelf, cancelled, completed, running
from shop.tools.audit.tests.planted import PLANTED, Plant, World
from shop.tools.audit.tests.planted.agreement import payments_disagrees
from shop.tools.audit.tests.planted.stock import still_reserved
from shop.tools.up.ports import free_port
from tests.providers import merged, running_provider

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(scope="module")
def provider_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("providers")
    with (
        running_provider("payments", folder) as payments,
        running_provider("carrier", folder) as carrier,
    ):
        yield {"PAYMENTS_URL": payments.url, "CARRIER_URL": carrier.url}


@pytest.fixture
def world(provider_urls: dict[str, str], settings: Any) -> World:
    settings.EMAIL_BACKEND = "notifications.mailbox.MailboxBackend"
    for name, url in provider_urls.items():
        setattr(settings, name, url)
    shelf = Shelf.make()
    return World(completed(shelf)[0], cancelled(shelf)[0], running(shelf)[0])


def audit() -> tuple[int, dict[str, Any]]:
    """Exit code and result of the command."""
    out = StringIO()
    try:
        call_command("audit", "--json", stdout=out)
    except SystemExit as error:
        return int(str(error.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_broken_promise_is_found_and_nothing_else(world: World, plant: Plant) -> None:
    expected = plant(world)
    code, result = audit()
    found = [violation["sentence"] for violation in result["violations"]]
    assert len(found) == len(expected), found
    for sentence, pattern in zip(found, expected, strict=True):
        assert re.fullmatch(pattern, sentence), sentence
    assert (code, result["ok"]) == (1, False)


# --- No false alarms ----------------------------------------------------------------------------------------------


def test_a_shop_that_keeps_its_promises_passes(world: World) -> None:
    code, result = audit()
    assert (code, result["ok"], result["violations"]) == (0, True, [])
    assert (result["orders"], result["in_flight"]) == (3, 1)
    assert result["checked"]["stock"] == {"orders": 3, "stock rows": 2}


def test_what_is_parked_breaks_no_promise_and_is_told(world: World) -> None:
    Saga.objects.filter(order=world.running).update(state="parked", deadline=None, last_error="carrier: no")
    Inbox.objects.create(
        event_id=uuid4(),
        receiver="inventory.dispatch_stock",
        type="OrderShipped",
        order_id=world.completed.uuid,
        number=world.completed.number,
        state="parked",
        error="ValueError: no",
    )
    parked = [
        f"{world.completed.number} waits for a person: inventory.dispatch_stock gave up on OrderShipped: ValueError: no",
        f"{world.running.number} waits for a person since it was paid: carrier: no",
    ]
    code, result = audit()
    assert (code, result["ok"], result["violations"], result["parked"]) == (0, True, [], parked)
    out = StringIO()
    call_command("audit", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[:2] == parked
    assert lines[-2].startswith("parked:    2, see the control room")


def test_an_empty_shop_passes(provider_urls: dict[str, str], settings: Any) -> None:
    settings.PAYMENTS_URL, settings.CARRIER_URL = provider_urls.values()
    out = StringIO()
    call_command("audit", stdout=out)
    assert out.getvalue().splitlines()[-1] == "0 orders, 0 in flight, 0 violations"


def test_the_violations_come_first_and_the_counts_last(world: World) -> None:
    expected = payments_disagrees(world)
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("audit", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == expected[0]
    assert lines[-1] == "3 orders, 1 in flight, 1 violations"
    assert [line.split()[0] for line in lines[2:8]] == [promise.value for promise in Promise]


def test_a_departure_that_inventory_has_still_to_hear_of_is_in_flight(world: World) -> None:
    still_reserved(world.completed)
    publish(world.completed, "OrderCreated")
    code, result = audit()
    assert (code, result["in_flight"], result["violations"]) == (0, 2, [])


def test_an_event_that_all_have_handled_is_no_excuse(world: World) -> None:
    still_reserved(world.completed)
    event_id = publish(world.completed, "OrderCreated")
    for subscription in subscriptions.of("OrderCreated", style="choreography"):
        handled(subscription.service, subscription.receiver, event_id, world.completed)
    code, result = audit()
    assert (code, result["in_flight"], len(result["violations"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("ends_in", "in_flight"),
    [(timedelta(0), 2), (timedelta(hours=1), 1)],
    ids=["it does", "so says a clock that was wrong"],
)
def test_an_order_that_ends_while_the_audit_reads_is_in_flight(
    world: World, monkeypatch: pytest.MonkeyPatch, ends_in: timedelta, in_flight: int
) -> None:
    def read() -> Ledgers:
        books = read_ledgers()
        Order.objects.filter(pk=world.completed.pk).update(ended_at=Now() + ends_in)
        return books

    monkeypatch.setattr("shop.tools.audit.run.read_ledgers", read)
    Payment.objects.filter(pk=world.completed.uuid).update(charge_key=uuid4().hex)
    _, result = audit()
    sentences = [violation["sentence"] for violation in result["violations"]]
    assert bool([sentence for sentence in sentences if "never charged" in sentence]) is (in_flight == 1)
    assert result["in_flight"] == in_flight


def test_a_deadline_just_past_is_what_the_sweep_is_for(world: World) -> None:
    Saga.objects.filter(order=world.running).update(deadline=timezone.now() - timedelta(seconds=10))
    assert audit()[0] == 0


def test_a_cancelled_order_whose_customer_is_being_told_is_in_flight(world: World) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    Saga.objects.filter(order=world.cancelled).update(state="running", undo="cancelled", deadline=soon)
    Notification.objects.filter(order_id=world.cancelled.uuid).update(state="sending")
    code, result = audit()
    assert (code, result["in_flight"]) == (0, 2)


def test_ledger_rows_of_other_shops_are_not_our_affair(world: World) -> None:
    for number in ("S-999999999", "another shop", "S-", "S-99"):
        merged(gateway().charge([Charge(uuid4().hex, 100, "GBP", "pm_card_approved", number)]))
        merged(carrier().create_labels([LabelRequest(uuid4().hex, number, "LON", ADDRESS)]))
    assert audit()[0] == 0


def test_unaccounted_money_of_no_order_at_all_is_nothing() -> None:
    assert list(unaccounted(Ledgers(timezone.now()))) == []


def test_books_that_nobody_keeps_are_left_out_and_this_is_said(world: World, settings: Any) -> None:
    settings.CARRIER = "benchmarks.providers.AtOnceCarrier"
    code, result = audit()
    assert (code, result["left_out"]) == (0, {"parcels": "The carrier keeps no books."})
    assert (result["checked"]["parcels"], result["checked"]["money"]["orders"]) == ({}, 3)
    settings.PAYMENTS_GATEWAY = "benchmarks.providers.AtOnceGateway"
    out = StringIO()
    call_command("audit", stdout=out)
    lines = [line for line in out.getvalue().splitlines() if "LEFT OUT" in line]
    assert [re.sub(" +", " ", line) for line in lines] == [
        "money LEFT OUT The payment provider keeps no books.",
        "parcels LEFT OUT The carrier keeps no books.",
    ]


@pytest.mark.parametrize(
    ("setting", "who"), [("PAYMENTS_URL", "The payment provider"), ("CARRIER_URL", "The carrier")]
)
def test_a_provider_out_of_reach_is_no_clean_audit(
    world: World, settings: Any, setting: str, who: str
) -> None:
    setattr(settings, setting, f"http://127.0.0.1:{free_port()}")
    out = StringIO()
    with pytest.raises(
        CommandError, match=f"^The audit could not be done: {who} can't be reached.$"
    ) as raised:
        call_command("audit", "--json", stdout=out)
    assert raised.value.returncode == 1
    assert json.loads(out.getvalue()) == {"ok": False, "error": str(raised.value)}


def publish(order: Order, event: str) -> Any:
    row = Outbox.objects.create(
        event_id=uuid4(),
        type=event,
        order_id=order.uuid,
        number=order.number,
        style=order.style,
        payload={},
    )
    return row.event_id


def handled(service: str, receiver: str, event_id: Any, order: Order) -> None:
    inbox_of(service)._default_manager.create(
        event_id=event_id, receiver=receiver, type="x", order_id=order.uuid, number=order.number
    )
