"""`manage.py customer`: all that is held of somebody is exported, and erased so that the books still balance."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from knox.models import AuthToken

from notifications.models import Mail
from orders.models import Order, Saga, TimelineEntry
from shop.base.people import Holding, holdings, text_columns
from shop.tools.audit.run import audit
from shop.tools.audit.tests import consistent
from shop.tools.customers import accounts
from shop.tools.customers.tests.zelda import (
    HOOKS_SECRET,
    MAIL,
    NAME,
    SEEDED,
    TRACKING,
    USERNAME,
    books,
    everything,
    own,
    rows_that_name,
)

pytestmark = pytest.mark.django_db(databases="__all__")


def customer(*args: str) -> tuple[str, int]:
    out, code = StringIO(), 0
    try:
        call_command("customer", *args, stdout=out, no_color=True)
    except SystemExit as ended:
        code = int(str(ended.code))
    return out.getvalue(), code


def test_every_column_that_could_hold_something_of_a_person_is_spoken_of() -> None:
    """A new one that is not fails here: say in the app's people.py what becomes of it when a customer is erased."""
    held: dict[Any, Holding] = {holding.model: holding for holding in holdings()}
    for model in apps.get_models():
        assert model in held, f"{model._meta.label}: no people.py speaks of it."
        named = {*held[model].erased, *held[model].plain}
        columns = {column.name for column in text_columns(model)}
        assert columns <= named, f"{model._meta.label}: nobody says what {columns - named} holds of people."
        assert {*held[model].plain} <= columns, f"{model._meta.label} has no such columns."
        assert {*held[model].erased} <= {column.name for column in model._meta.concrete_fields}


def test_what_is_erased_is_found_by_orders_or_by_accounts() -> None:
    """But for the packages' tables that hang on an account, which are erased with it."""
    by_account = {User, AuthToken, apps.get_model("sessions", "Session")}
    for holding in holdings():
        if holding.erased and holding.model not in by_account:
            assert holding.of_orders or holding.of_customers, holding.model


def test_the_export_has_all_that_is_held(zelda: User) -> None:
    text, code = customer("export", USERNAME)
    told = json.loads(text)
    assert code == 0
    assert [text for text in SEEDED if text not in json.dumps(told, ensure_ascii=False)] == []
    (account,) = told["accounts"]
    assert (account["username"], len(account["tokens"]), len(account["sessions"])) == (USERNAME, 1, 1)
    assert "password" not in account
    assert HOOKS_SECRET not in text
    assert {*told["held"]} == {"orders", "inventory", "payments", "shipping", "notifications", "admin"}
    assert len(told["held"]["orders"]["orders"]) == len(told["orders"]) == 2
    assert len(told["held"]["notifications"]["mails"]) == 2
    assert len(told["held_by_others"]["the payment provider"]) == 2
    assert set(told["held_by_others"]["the carrier"]) == {TRACKING}


def test_erasing_is_tried_first_and_changes_nothing(zelda: User) -> None:
    before = list(everything())
    text, code = customer("erase", USERNAME)
    assert code == 0
    assert "Would erase what is known of the customer of 2 orders and 1 account." in text
    assert f"The carrier has its own records; ask there, by: {TRACKING}" in text
    assert "say --yes" in text
    assert list(everything()) == before


def test_who_else_is_to_be_asked_is_told_whole_when_it_is_erased(
    zelda: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards nobody here knows the tracking numbers."""
    names = [f"SB{number:012}" for number in range(30)]
    monkeypatch.setattr("shop.management.commands.customer.held_outside", lambda _: {"the carrier": names})
    assert "and 20 more." in customer("erase", USERNAME)[0]
    assert f"by: {', '.join(names)}." in customer("erase", USERNAME, "--yes")[0]


def test_an_erased_customer_is_found_nowhere_and_the_books_balance(zelda: User, client: Any) -> None:
    before = books()
    assert audit().ok
    text, code = customer("erase", USERNAME, "--yes")
    assert code == 0
    assert "Erased what is known of the customer of 2 orders and 1 account." in text
    assert rows_that_name(*SEEDED, HOOKS_SECRET) == set()
    assert books() == before
    report = audit()
    assert report.ok, report.violations
    assert report.orders == 3
    zelda.refresh_from_db()
    assert (zelda.username, zelda.is_active, zelda.has_usable_password()) == (
        f"erased-{zelda.pk}",
        False,
        False,
    )
    assert not AuthToken.objects.exists()
    assert (
        client.get("/orders/").status_code != 200 or USERNAME not in client.get("/orders/").content.decode()
    )
    acts = LogEntry.objects.filter(user__username=accounts.CONSOLE)
    assert sorted(acts.values_list("content_type__model", flat=True)) == ["order", "order", "user"]
    assert Order.objects.filter(email="ada@example.invalid").count() == 1, "the neighbour's is as it was"


def test_the_page_of_an_erased_order_says_so_and_reads_well(zelda: User, admin_client: Any) -> None:
    order = Order.objects.filter(customer_id=zelda.pk).latest("pk")
    TimelineEntry.objects.create(
        order=order, event_id=order.uuid, at=order.placed_at, service="shipping", event="ParcelsLabelled",
        kind="forward", text=f"labels for the parcels from LON: {TRACKING}",
    )  # fmt: skip
    customer("erase", USERNAME, "--yes")
    page = admin_client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for said in ("<dd>erased</dd>", "Erased what was known of the customer.", "labels for all parcels"):
        assert said in page
    assert "mailto:" not in page
    assert "erased" in admin_client.get("/admin/orders/order/").content.decode()


def test_erasing_again_does_no_harm_and_says_that_nothing_is_left(zelda: User) -> None:
    customer("erase", USERNAME, "--yes")
    before = list(everything())
    text, code = customer("erase", f"erased-{zelda.pk}", "--yes")
    assert (text, code) == ("Erased what is known of the customer of no orders and no accounts.\n", 0)
    assert list(everything()) == before


def test_an_order_on_its_way_stays_with_its_account_until_it_is_at_its_end(
    zelda: User, shelf: consistent.Shelf
) -> None:
    (order,) = consistent.running(shelf)
    Order.objects.filter(pk=order.pk).update(customer_id=zelda.pk, name=NAME, email=MAIL)
    text, code = customer("erase", USERNAME, "--yes")
    assert code == 1
    assert f"Stays as long as they are on their way: {order.number}, and the account." in text
    assert list(Order.objects.filter(email=MAIL)) == [order]
    assert User.objects.filter(username=USERNAME, is_active=True).exists()
    assert not Mail.objects.filter(to=MAIL).exists()
    Saga.objects.filter(order=order).update(state=Saga.State.ENDED)
    text, code = customer("erase", USERNAME, "--yes")
    assert code == 0
    assert rows_that_name(*SEEDED) == set()


@pytest.mark.parametrize("by", ["--email", "--order"])
def test_a_guest_is_found_by_mail_address_or_by_the_number_of_an_order(
    by: str, shelf: consistent.Shelf
) -> None:
    guest = User.objects.create_user(f"guest-{'a' * 32}")
    orders = consistent.completed(shelf, 2)
    own(orders, guest.pk)
    given = MAIL.upper() if by == "--email" else orders[0].number
    told = json.loads(customer("export", by, given)[0])
    assert told["orders"] == [order.number for order in orders]
    assert customer("erase", by, given, "--yes")[1] == 0
    assert rows_that_name(*SEEDED, guest.username) == set()
    assert audit().ok


def test_an_order_that_went_to_another_address_is_meant_by_it_but_its_account_is_not(zelda: User) -> None:
    Order.objects.filter(email=MAIL).update(email="aunt@quux.example")
    told = json.loads(customer("export", "--email", "aunt@quux.example")[0])
    assert told["accounts"] == []
    assert len(told["orders"]) == 2


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((), "Say who is meant"),
        (("zelda", "--email", MAIL), "one of them"),
        (("nobody",), "There is no user 'nobody'"),
        (("--email", "nobody@quux.example"), "Nothing is kept of anybody"),
        (("--order", "S-999999"), "There is no order 'S-999999'"),
        (("operator",), "operator is staff"),
    ],
)
def test_who_is_no_customer_is_refused_in_a_sentence(args: tuple[str, ...], sentence: str) -> None:
    User.objects.create_user("operator", is_staff=True)
    with pytest.raises(CommandError, match=sentence):
        call_command("customer", "erase", *args)
