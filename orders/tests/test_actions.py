"""Trying one step again after a dry run, notes, corrections: what staff press, what is asked before and told after."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from inventory.services import reserve_stock
from orders.models import Inbox, Order, Outbox, Saga
from orders.process import FORWARD, PROCESS, awaited
from orders.staff.actions import buttons, in_words
from orders.staff.corrections import CORRECTIONS
from orders.telling.situation import Situation
from orders.telling.trouble import why_it_waits
from orders.tests.pages import address, parked, said, text
from payments.services import take_payment
from shop.base.holds import user_of
from tests.threads import at_once

RESERVED = awaited(FORWARD[1])  # the step that an order whose stock is set aside waits for


def test_no_button_is_recommended_while_only_a_provider_can_help(order: Order) -> None:
    kinds = {found: [button.kind for button in buttons(order, found)] for found in Situation}
    assert {found for found, shown in kinds.items() if "first" in shown} == {
        Situation.NEEDS_ATTENTION, Situation.PARKED, Situation.SILENT, Situation.OVERDUE, Situation.RETRYING,
    }  # fmt: skip
    assert len(kinds[Situation.PROVIDER_AWAY]) == len(kinds[Situation.PARKED])


def page_of(order: Order) -> str:
    return address("orders.order", "change", order.pk)


def button(name: str, order: Order) -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def park(order: Order, operation: str = RESERVED.operation) -> Any:
    """As an order stands that has been parked before this step: in either style, with what its service keeps of it."""
    Saga.objects.filter(order=order).update(
        state="parked", step=FORWARD[1], deadline=None, attempt=8, last_error=f"{operation}: no answer"
    )
    return parked(operation.partition(".")[0], order, receiver=operation)


@pytest.mark.parametrize("style", settings.STYLES)
def test_one_step_is_tried_again_and_others_are_left_alone(
    staff: Callable[..., Client], place_order: Any, style: str
) -> None:
    order = Order.objects.get(uuid=place_order(style=style).id)
    row, other = park(order), parked("shipping", order)
    client = staff()
    assert "Try again: take payment…" in text(client.get(page_of(order)))
    asked = text(client.get(button("retry", order)))
    assert "payments: take payment" in asked
    assert "A charge of GBP 10.00 at the payment provider." in asked
    row.refresh_from_db()
    assert row.state == "parked"
    assert not Outbox.objects.filter(type="OrderStalled").exists()
    assert "It is tried again now: take payment." in said(client.post(button("retry", order), follow=True))
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.state, row.attempts, other.state) == ("failing", 0, "parked")
    saga = Saga.objects.get(order=order)
    assert (saga.state, saga.attempt) == ("running", 0)
    assert Outbox.objects.get(type="OrderStalled").payload["by"] == "staff"
    assert "Tried again: take payment." in text(client.get(page_of(order)))


def test_a_double_click_tries_once(staff: Callable[..., Client], order: Order) -> None:
    park(order)
    client = staff()
    client.post(button("retry", order))
    assert "It is being tried again already" in said(client.post(button("retry", order), follow=True))
    assert Outbox.objects.filter(type="OrderStalled").count() == 1
    assert LogEntry.objects.filter(object_id=str(order.pk)).count() == 1


def test_a_dry_run_says_what_is_recorded_and_asks_nobody(
    staff: Callable[..., Client], order: Order, outside: Any, settings: Any
) -> None:
    reserve_stock([order.ref])
    take_payment([order.ref])
    park(order)
    settings.PAYMENTS_URL = settings.CARRIER_URL = "http://127.0.0.1:9"
    asked = text(staff().get(button("retry", order)))
    assert "GBP 10.00 was charged at" in asked
    assert "it is not charged again" in asked
    assert "A charge of" not in asked
    Saga.objects.filter(order=order).update(step=RESERVED.position)
    labels = text(staff().get(button("retry", order)))
    assert "shipping: create labels" in labels
    assert "it is not charged again" in labels
    assert "A label at the carrier for each warehouse" in labels


def test_many_are_tried_again_with_a_result_each(staff: Callable[..., Client], place_order: Any) -> None:
    stuck, ended = (Order.objects.get(uuid=place_order().id) for _ in range(2))
    park(stuck)
    Saga.objects.filter(order=ended).update(state="ended", deadline=None)
    chosen = {"action": "retry_selected", "_selected_action": [stuck.pk, ended.pk]}
    client, page = staff(), address("orders.order", "changelist")
    asked = text(client.post(page, chosen))
    assert "payments: take payment" in asked
    assert "nothing: it is at its end" in asked
    results = text(client.post(page, {**chosen, "confirmed": "yes"}))
    assert "1 done · 1 nothing to do" in results
    assert "It is tried again now: take payment." in results
    assert "Nothing was done: it is at its end." in results


def test_a_note_is_kept_with_who_wrote_it(staff: Callable[..., Client], order: Order) -> None:
    client = staff()
    for note in (" <b>Rang</b> the customer.\r\nShe moves on Friday. ", "", "x" * 1001):
        client.post(button("note", order), {"text": note})
    shown = text(client.get(page_of(order)))
    assert "<p>&lt;b&gt;Rang&lt;/b&gt; the customer.<br>She moves on Friday.</p>" in shown
    entry = LogEntry.objects.get(object_id=str(order.pk))
    assert f"<strong>{entry.user}</strong>" in shown


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_note_sent_twice_at_once_is_one(
    transactional_db: None, request: pytest.FixtureRequest, staff: Callable[..., Client]
) -> None:
    order = Order.objects.get(uuid=request.getfixturevalue("place_order")().id)
    press = partial(staff().post, button("note", order), {"text": "Rang."})
    at_once(press, press)
    assert LogEntry.objects.filter(object_id=str(order.pk)).count() == 1


def test_many_get_a_note(staff: Callable[..., Client], place_order: Any) -> None:
    orders = [Order.objects.get(uuid=place_order().id) for _ in range(2)]
    chosen = {"action": "note_selected", "_selected_action": [order.pk for order in orders]}
    client, page = staff(), address("orders.order", "changelist")
    assert '<textarea id="text"' in text(client.post(page, chosen))
    assert '<p class="question">2 done</p>' in text(
        client.post(page, {**chosen, "confirmed": "yes", "text": "Recalled."})
    )
    assert LogEntry.objects.filter(change_message="Note: Recalled.").count() == 2


def test_a_corrected_address_is_checked_as_the_api_does(staff: Callable[..., Client], order: Order) -> None:
    client = staff()
    asked = text(client.get(button("address", order)))
    assert 'value="12 St James&#x27;s Sq"' in asked
    given = {"name": "Ada", "line1": "1 Hill\x00", "city": "", "postcode": "N" * 21, "country": "uk"}
    wrong = text(client.post(button("address", order), given))
    for said_of_it in ("Control characters", "may not be blank", "no more than 20", "no such country"):
        assert said_of_it in wrong
    assert 'value="uk"' in wrong
    assert Order.objects.values("name", "country").get() == {"name": "Ada Byron", "country": "GB"}


def test_a_correction_is_told_without_what_was_there_before(
    staff: Callable[..., Client], order: Order
) -> None:
    client = staff()
    given = {"name": "Ada Byron", "line1": "1 Hill", "city": "Leeds", "postcode": "N1", "country": "GB"}
    assert "The address is corrected." in said(client.post(button("address", order), given, follow=True))
    assert Order.objects.values("line1", "city").get() == {"line1": "1 Hill", "city": "Leeds"}
    assert LogEntry.objects.get().change_message == "Corrected the address: address, city."
    assert not Outbox.objects.exclude(type="OrderCreated").exists()
    assert "was so already" in said(client.post(button("address", order), given, follow=True))


def test_a_correction_has_the_step_that_failed_tried_again(
    staff: Callable[..., Client], order: Order
) -> None:
    row = park(order)
    told = said(
        staff().post(button("payment-method", order), {"payment_method": "pm_card_slow"}, follow=True)
    )
    assert "The payment method is corrected. It is tried again now: take payment." in told
    row.refresh_from_db()
    assert row.state == "failing"
    assert Order.objects.get().payment_method == "pm_card_slow"


def test_the_number_of_a_card_is_neither_taken_as_a_payment_method_nor_shown_again(
    staff: Callable[..., Client], order: Order
) -> None:
    page = text(staff().post(button("payment-method", order), {"payment_method": "4111 1111 1111 1111"}))
    assert "never a card's number" in page.replace("&#x27;", "'")
    assert "4111" not in page
    assert Order.objects.get().payment_method == "pm_card_approved"


def test_the_number_of_a_card_is_taken_in_no_part_of_an_address_nor_shown_again(
    staff: Callable[..., Client], order: Order
) -> None:
    given = {"name": "Ada", "line1": "1 Hill", "city": "Leeds", "postcode": "N1", "country": "GB"}
    client = staff()
    for field in ("name", "line1", "city", "postcode", "country"):
        page = text(client.post(button("address", order), given | {field: "4111 1111 1111 1111"}))
        said = "no such country" if field == "country" else "looks like a card's number: leave it out"
        assert said in page.replace("&#x27;", "'")
        assert "1111" not in page
    assert Order.objects.get().name == "Ada Byron"


def test_what_is_too_long_is_not_looked_through(staff: Callable[..., Client], order: Order) -> None:
    client, before = staff(), time.process_time()
    page = text(client.post(button("payment-method", order), {"payment_method": "1 " * 200_000}))
    assert "no more than 100" in page
    assert "1 1 1" not in page
    assert time.process_time() - before < 2


def test_what_is_used_already_is_not_corrected(
    staff: Callable[..., Client], order: Order, outside: Any
) -> None:
    reserve_stock([order.ref])
    take_payment([order.ref])
    client = staff()
    answer = client.post(button("payment-method", order), {"payment_method": "pm_card_slow"}, follow=True)
    assert "The payment method stays as it is. It is paid already." in said(answer)
    paid = next(step for step in PROCESS if step.operation == RESERVED.operation)
    Saga.objects.filter(order=order).update(step=paid.position)
    page = text(client.get(page_of(order)))
    assert "Correct address…" in page
    assert "Other payment method…" not in page
    Saga.objects.filter(order=order).update(undo="requested")
    assert "The order is being undone." in said(client.get(button("address", order), follow=True))


def test_who_may_only_look_does_none_of_it(staff: Callable[..., Client], order: Order) -> None:
    row, client = park(order), staff("orders.view_order")
    page = text(client.get(page_of(order)))
    for gone in ("Try again", "Resume", "Cancel order", "Correct address", "Write note"):
        assert gone not in page
    for name in ("retry", "note", "address", "payment-method"):
        given = {"text": "x", "payment_method": "pm_card_slow"}
        assert client.post(button(name, order), given).status_code == 403
        assert client.get(button(name, order)).status_code in (403, 405)
    row.refresh_from_db()
    assert (row.state, LogEntry.objects.count(), Inbox.objects.count()) == ("parked", 0, 0)
    checking = Client(enforce_csrf_checks=True)
    checking.force_login(get_user_model().objects.get())
    assert checking.post(button("retry", order)).status_code == 403


@pytest.mark.parametrize("name", CORRECTIONS)
def test_what_may_be_the_cause_is_corrected_first_as_long_as_it_can_be(
    order: Order, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    correction = CORRECTIONS[name]
    needs = user_of(correction.lookup)
    park(order, needs.operation)
    before = [step.operation for step in PROCESS].index(needs.operation) - 1
    Saga.objects.update(step=PROCESS[before].position)
    order.saga.refresh_from_db()

    def first() -> tuple[str, bool]:
        """The button that stands out, and whether the page advises to correct what the step needs."""
        (shown,) = [one.text for one in buttons(order, Situation.PARKED) if one.kind == "first"]
        return shown, f"{correction.what} is the cause, correct it" in why_it_waits(order)[0].text

    assert first() == (f"{correction.button}…", True)
    assert buttons(order, Situation.PARKED)[0].text == f"{correction.button}…"
    monkeypatch.setattr(type(needs.holder), "in_use", lambda *_: "It is too late.")
    assert first() == (f"Try again: {in_words(awaited(order.saga.position))}…", False)
