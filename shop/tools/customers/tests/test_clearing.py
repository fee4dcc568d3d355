"""What is kept of people for a time only goes when that is over, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone
from knox.models import AuthToken

from orders.models import Order, Saga
from shop.tools.audit.tests import consistent
from shop.tools.customers import clearing

pytestmark = pytest.mark.django_db(databases="__all__")


def days_ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def test_sessions_and_tokens_go_when_they_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "AT_ONCE", 2)
    user = User.objects.create_user("ada")
    for number, days in enumerate((3, 2, 1, -1)):
        Session.objects.create(session_key=f"s{number}", session_data="", expire_date=days_ago(days))
        token, _ = AuthToken.objects.create(user)
        AuthToken.objects.filter(pk=token.pk).update(expiry=days_ago(days))
    assert [clearing.sessions() for _ in range(3)] == [2, 1, 0]
    assert [clearing.tokens() for _ in range(3)] == [2, 1, 0]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["s3"]
    assert AuthToken.objects.get().expiry > timezone.now()


def test_a_guests_account_goes_once_the_guest_is_long_gone(settings: Any, outside: Any) -> None:
    shelf = consistent.Shelf.make()
    settings.RETENTION = {**settings.RETENTION, "GUESTS": 30}
    for name, days in (("old", 40), ("young", 20), ("buys-again", 40), ("waits", 40)):
        guest = User.objects.create_user(f"guest-{name}")
        User.objects.filter(pk=guest.pk).update(date_joined=days_ago(days))
        (order,) = consistent.completed(shelf)
        placed = days_ago(1 if name == "buys-again" else days)
        Order.objects.filter(pk=order.pk).update(customer_id=guest.pk, placed_at=placed)
        if name == "waits":
            Saga.objects.filter(order=order).update(state=Saga.State.PARKED)
    real = User.objects.create_user("guest-house", password="who has one logs in")
    User.objects.filter(pk=real.pk).update(date_joined=days_ago(400))
    before = Order.objects.count()
    clearing.Guests().clear_some()
    kept = {"guest-young", "guest-buys-again", "guest-waits", "guest-house"}
    assert set(User.objects.values_list("username", flat=True)) == kept
    assert Order.objects.count() == before
    settings.RETENTION = {**settings.RETENTION, "GUESTS": 0}
    Order.objects.update(placed_at=days_ago(40))
    clearing.Guests().clear_some()
    assert set(User.objects.values_list("username", flat=True)) == kept


def test_whom_an_old_order_was_for_is_forgotten(
    settings: Any, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "AT_ONCE", 2)
    shelf = consistent.Shelf.make()
    settings.RETENTION = {**settings.RETENTION, "PEOPLE": 100}
    ended, (waits,), (young,) = (
        consistent.completed(shelf, 3),
        consistent.running(shelf),
        consistent.cancelled(shelf),
    )
    Order.objects.exclude(pk=young.pk).update(placed_at=days_ago(120))
    Order.objects.filter(pk__in=[order.pk for order in ended]).update(ended_at=days_ago(110))
    orders = clearing.Orders()
    assert [orders.clear_some() for _ in range(4)] == [2, 2, 0, 0]
    assert set(Order.objects.filter(email="").values_list("pk", flat=True)) == {order.pk for order in ended}
    Saga.objects.filter(order=waits).update(state=Saga.State.ENDED)
    Order.objects.filter(pk=waits.pk).update(ended_at=days_ago(101))
    assert orders.clear_some() == 0
    orders._began -= 2 * clearing.ANEW
    while orders.clear_some():
        pass
    assert Order.objects.exclude(email="").get() == young


def test_what_can_not_be_cleared_stays_for_now(caplog: pytest.LogCaptureFixture) -> None:
    def breaks() -> int:
        raise DatabaseError("The database is away.")

    assert clearing.cleared(breaks) == 0
    assert "stays for now" in caplog.text
