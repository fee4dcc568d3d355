"""The map's page: every edge of both styles, what goes over it and what fails on it, each with the list behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.edges import edges
from orders.models import Saga
from orders.process import PROCESS
from payments.events import PaymentProcessed
from payments.models import Inbox, Outbox
from shop.messaging.subscriptions import every

MAP = "/admin/map/"
AT_MOST = 16  # statements, with a database for each app


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    def login(*permissions: str) -> Client:
        user = get_user_model().objects.create_user(uuid4().hex, is_staff=True, is_superuser=not permissions)
        for codename in permissions:
            user.user_permissions.add(*Permission.objects.filter(codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return login


def shown(client: Client, **query: str) -> str:
    response = client.get(MAP, query)
    assert response.status_code == 200
    return str(response.content.decode())


def line(page: str, style: str, name: str) -> str:
    """The list's line of an edge."""
    part = page[page.index(f'<h2 id="style-{style}">') :]
    found = re.search(rf'<tr class="\w+">(?:(?!</tr>).)*<th scope="row">{name}\b.*?</tr>', part, re.DOTALL)
    assert found
    return found[0]


def outbox_rows(count: int, style: str) -> None:
    Outbox.objects.bulk_create(
        Outbox(
            event_id=uuid4(),
            type=PaymentProcessed.__name__,
            order_id=uuid4(),
            number="S-1",
            style=style,
            payload={},
        )
        for _ in range(count)
    )


@pytest.mark.parametrize("style", django_settings.STYLES)
def test_every_subscription_and_every_command_of_a_style_is_an_edge(style: str) -> None:
    found = edges(style)
    heard = {
        (edge.event, receiver) for edge in found for receiver in (edge.receiver, *edge.noting) if edge.event
    }
    assert heard == {(sub.event, sub.receiver) for sub in every() if sub.wants(style)}
    commands = {edge.receiver for edge in found if edge.move}
    reacting = {sub.receiver for sub in every() if sub.style == style}
    assert commands | reacting >= {step.operation for step in PROCESS[1:]}
    assert not commands & reacting


def test_the_page_draws_both_styles_or_the_one_that_is_asked_for(staff: Callable[..., Client]) -> None:
    client = staff("view_order")
    both = shown(client)
    for style in django_settings.STYLES:
        one = shown(client, style=style)
        assert [other for other in django_settings.STYLES if f'id="style-{other}"' in one] == [style]
        for edge in edges(style):
            assert f">{edge.name}</text>" in both
            assert line(both, style, edge.name)
    assert 'id="live"' in both


def test_who_may_not_see_orders_does_not_see_the_map(staff: Callable[..., Client]) -> None:
    assert staff("view_stock").get(MAP).status_code == 403
    assert Client().get(MAP).headers["Location"] == f"{reverse('admin:login')}?next={MAP}"


def test_an_edge_says_how_many_go_over_it_and_what_fails_and_leads_to_the_lists(
    staff: Callable[..., Client], place_order: Any
) -> None:
    client, choreography, orchestration = staff(), "choreography", "orchestration"
    outbox_rows(100, choreography)
    for state in ("parked", "failing", "failing"):
        Inbox.objects.create(
            event_id=uuid4(), receiver="payments.take_payment", type="InventoryReserved", number="S-1",
            order_id=uuid4(), state=state,
        )  # fmt: skip
    stuck = place_order(style=orchestration)
    Saga.objects.filter(order__uuid=stuck.id).update(state="parked", step="reserved", last_error="no answer")
    page = shown(client)
    assert ">20</a>" in line(page, choreography, "PaymentProcessed")
    assert ">0</a>" in line(page, orchestration, "PaymentProcessed")
    failing, commanded = (
        line(page, choreography, "InventoryReserved"),
        line(page, orchestration, "take_payment"),
    )
    assert "1 parked" in failing
    assert "2 retrying" in failing
    assert "1 parked" in commanded
    assert "retrying" not in commanded
    for address in re.findall(r'href="([^"]+)"', failing + commanded):
        behind = client.get(address.replace("&amp;", "&"))
        assert behind.status_code == 200, address
        assert "S-1" in behind.content.decode() or "outbox" in address


def test_links_lead_only_where_one_may_look(staff: Callable[..., Client]) -> None:
    assert "/outbox/" not in shown(staff("view_order"))
    assert "/payments/outbox/" in shown(staff("view_order", "view_outbox"))


def test_the_map_takes_few_statements_and_looks_at_the_latest_events_only(
    staff: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.web.map.traffic.LATEST", 50)
    outbox_rows(120, "choreography")
    client = staff()
    shown(client)
    captured = [CaptureQueriesContext(connections[alias]) for alias in connections]
    for one in captured:
        one.__enter__()
    page = shown(client)
    for one in captured:
        one.__exit__(None, None, None)
    assert sum(len(one) for one in captured) <= AT_MOST
    (rate,) = re.findall(r">([\d,]+)</a>", line(page, "choreography", "PaymentProcessed"))
    assert int(rate.replace(",", "")) > 100  # 50 in far less than five minutes


def test_the_admins_head_leads_to_the_map_who_may_see_it(staff: Callable[..., Client]) -> None:
    index = reverse("admin:index")
    assert f'href="{MAP}"' in staff("view_order").get(index).content.decode()
    assert f'href="{MAP}"' not in staff("view_stock").get(index).content.decode()
