"""The page that breaks things: not there but in the demo, and honest about what is lost. tests/test_up.py presses it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from orders.models import Order, Saga
from shop.base.breaking import Broken, Channel, Told, Way, Wish
from shop.web.crash.figures import Figures, ended_after, figures


@pytest.mark.django_db
def test_without_the_demo_there_is_no_such_page_and_no_link_to_it() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    assert client.get("/admin/crash/").status_code == 404
    assert b"Break it" not in client.get("/admin/").content
    with pytest.raises(NoReverseMatch):
        reverse("crash")


@pytest.mark.django_db(databases="__all__")
def test_an_order_that_nobody_takes_up_and_one_that_is_gone_are_lost(place_order: Any) -> None:
    orders = [Order.objects.get(uuid=place_order().id) for _ in range(5)]
    keys = [order.pk for order in orders]
    before = min(keys) - 1
    assert figures(before, keys) == Figures(placed=5, under_way=5)
    Saga.objects.filter(order=keys[0]).update(deadline=None)
    Saga.objects.filter(order=keys[1]).update(deadline=timezone.now() - timedelta(hours=1))
    Saga.objects.filter(order=keys[2]).update(state=Saga.State.PARKED, deadline=None)
    now = timezone.now()
    Order.objects.filter(pk=keys[3]).update(status=Order.Status.COMPLETED, ended_at=now)
    Saga.objects.filter(order=keys[3]).update(state=Saga.State.ENDED, deadline=None)
    assert figures(before, [*keys, 10**9]) == Figures(
        placed=6, under_way=1, completed=1, for_a_person=1, lost=3
    )
    assert figures(max(keys), ()) == Figures()


@pytest.mark.django_db(databases="__all__")
def test_it_says_when_the_last_of_those_under_way_had_ended(place_order: Any) -> None:
    orders = [Order.objects.get(uuid=place_order().id) for _ in range(3)]
    moment = max(order.placed_at for order in orders)
    before = min(order.pk for order in orders) - 1
    ends = [moment - timedelta(seconds=1), moment + timedelta(seconds=2), moment + timedelta(seconds=4)]
    for order, end in zip(orders, ends, strict=True):
        assert ended_after(before, moment)[1] is None
        Order.objects.filter(pk=order.pk).update(status=Order.Status.COMPLETED, ended_at=end)
    assert ended_after(before, moment) == (2, 4.0)
    assert ended_after(before, moment - timedelta(days=1)) == (0, None)


def test_each_wish_is_read_once_and_what_is_no_wish_is_thrown_away(tmp_path: Path) -> None:
    page, up = Channel(tmp_path), Channel(tmp_path)
    assert page.told() is None
    up.open()
    page.ask(Wish(Way.KILL, "relay"))
    (tmp_path / "crash" / "wish-0").write_text("nonsense")
    assert list(up.wishes()) == [Wish(Way.KILL, "relay")]
    assert list(up.wishes()) == []
    at = timezone.now()
    told = Told(since=at, processes={"relay": True}, broken=[Broken(way=Way.KILL, whom="relay", at=at)])
    up.tell(told)
    assert page.told() == told
    up.close()
    assert page.told() is None


def test_what_an_earlier_run_left_is_nobodys_wish(tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    channel.open()
    channel.ask(Wish(Way.FLUSH))
    channel.accept([1, 2])
    assert channel.accepted() == [1, 2]
    channel.open()
    assert (list(channel.wishes()), channel.accepted()) == ([], [])
    assert (tmp_path / "crash").stat().st_mode & 0o077 == 0
