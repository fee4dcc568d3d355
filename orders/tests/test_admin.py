"""What staff see and press in the admin; and what nobody can do there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Inbox, Order, Outbox, Saga, TimelineEntry
from orders.trouble import span, why_it_waits
from shop.messaging.tables import inbox_of, outbox_of

pytestmark = pytest.mark.filterwarnings("ignore:No directory at")  # whitenoise: nothing is collected in tests

MODELS = [
    *("orders.order", "inventory.product", "inventory.warehouse", "inventory.stock", "inventory.receipt"),
    *("inventory.reservation", "payments.payment", "shipping.shipment", "shipping.parcel"),
    *("notifications.notification", "notifications.mail"),
    *(
        f"{service}.{box}"
        for service in ("orders", "inventory", "payments", "shipping", "notifications")
        for box in ("inbox", "outbox")
    ),
]
EDITABLE = ("inventory.product", "inventory.warehouse")


@pytest.fixture
def order(place_order: Any) -> Order:
    return Order.objects.select_related("saga").get(uuid=place_order().id)


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A client logged in as somebody with just these permissions; a superuser without any named."""

    def login(*permissions: str) -> Client:
        user = get_user_model().objects.create_user(uuid4().hex, is_staff=True, is_superuser=not permissions)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return login


def address(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=args)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def parked(service: str, order: Order, **values: Any) -> Any:
    given = {"receiver": f"{service}.act", "type": "OrderCreated", "state": "parked", "attempts": 8}
    given |= {"error": "Fault: no answer", "payload": {"what": "<b>this</b>"}, **values}
    return inbox_of(service)._default_manager.create(
        event_id=uuid4(), order_id=order.uuid, number=order.number, **given
    )


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_is_searched_and_filtered_by_order(
    staff: Callable[..., Client], order: Order, model: str
) -> None:
    client = staff()
    for query in ("", f"q={order.number}", f"q={order.uuid}", "q=²", "q=%F0%9F%98%80 x"):
        text(client.get(f"{address(model, 'changelist')}?{query}"))


@pytest.mark.parametrize("model", [model for model in MODELS if model not in EDITABLE])
def test_what_services_keep_is_read_only_even_for_a_superuser(
    staff: Callable[..., Client], order: Order, model: str
) -> None:
    parked("payments", order)
    client = staff()
    assert client.get(address(model, "add")).status_code == 403
    row = apps.get_model(model).objects.first()
    if row:
        before = apps.get_model(model).objects.filter(pk=row.pk).values().get()
        page = address(model, "change", row.pk)
        assert 'name="_save"' not in text(client.get(page))
        assert client.post(page, {"state": "done", "status": "completed", "on_hand": 7}).status_code == 403
        assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert apps.get_model(model).objects.filter(pk=row.pk).values().get() == before


def test_an_order_is_found_by_number_id_and_email_and_no_other_is(
    staff: Callable[..., Client], place_order: Any
) -> None:
    one, other = place_order(), place_order()
    Order.objects.filter(uuid=one.id).update(email="grace@example.invalid")
    for query in (one.number, one.number.lower(), str(one.id), "grace@example"):
        page = text(staff().get(address("orders.order", "changelist"), {"q": query}))
        assert one.number in page
        assert f">{other.number}<" not in page


def test_the_list_asks_no_question_per_order(
    staff: Callable[..., Client], place_order: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        place_order()
    client = staff()
    with django_assert_max_num_queries(6):
        text(client.get(address("orders.order", "changelist")))


def test_the_page_tells_the_way_forward_and_back_with_times(
    staff: Callable[..., Client], order: Order, django_assert_max_num_queries: Any
) -> None:
    for ms, kind in ((12, "forward"), (1500, "trouble"), (64000, "undo")):
        TimelineEntry.objects.create(
            order=order,
            event_id=uuid4(),
            at=order.placed_at + timedelta(milliseconds=ms),
            service="payments",
            event="Something",
            kind=kind,
            text=f"<i>{kind}</i>",
        )
    client = staff()
    with django_assert_max_num_queries(30):
        page = text(client.get(address("orders.order", "change", order.pk)))
    for expected in ("→ forward", "! trouble", "← undo", "+12 ms", "+1.5 s", "+1 min 4 s", "&lt;i&gt;undo"):
        assert expected in page
    assert "<i>undo" not in page
    assert f"/admin/payments/payment/?order_id={order.uuid}" in page


def test_the_page_of_another_service_leads_to_the_order(staff: Callable[..., Client], order: Order) -> None:
    answer = staff().get(reverse("admin:orders_order_find", args=[order.uuid]))
    assert answer.headers["Location"] == address("orders.order", "change", order.pk)


def test_links_lead_only_where_this_person_may_look(staff: Callable[..., Client], order: Order) -> None:
    parked("payments", order)
    page = text(staff("orders.view_order").get(address("orders.order", "change", order.pk)))
    assert "payments.act failed" in page
    assert "/admin/payments/" not in page
    assert "Resume now" not in page
    assert "Cancel order" not in page


def test_why_it_waits_tells_of_every_service(order: Order) -> None:
    for service in ("inventory", "payments"):
        parked(service, order)
    parked("shipping", order, state="failing", attempts=1, due_at=timezone.now() + timedelta(seconds=30))
    parked("notifications", order, state="done")
    sentences = [finding.text for finding in why_it_waits(order)]
    assert any(s.startswith("inventory.act failed on OrderCreated, 8 times: Fault") for s in sentences)
    assert any(s.startswith("payments.act failed") and "parked" in s for s in sentences)
    assert any(
        s.startswith("shipping.act failed on OrderCreated, once") and "again in" in s for s in sentences
    )
    assert not any("notifications.act" in sentence for sentence in sentences)


def test_why_it_waits_names_whose_inbox_lacks_an_event_and_not_those_that_have_it(order: Order) -> None:
    row = Outbox.objects.get(order_id=order.uuid, type="OrderCreated")
    Outbox.objects.filter(pk=row.pk).update(claims=3, due_at=timezone.now() + timedelta(seconds=9))
    have = {"order_id": order.uuid, "number": order.number, "type": row.type, "event_id": row.event_id}
    Inbox.objects.create(receiver="orders.note_progress", **have)
    (lacking,) = [finding.text for finding in why_it_waits(order) if finding.table == "outbox"]
    assert lacking.startswith("OrderCreated of orders was sent 3 times, but inventory.reserve_stock has not")
    inbox_of("inventory")._default_manager.create(receiver="inventory.reserve_stock", **have)
    assert not [finding for finding in why_it_waits(order) if finding.table == "outbox"]


def test_why_it_waits_says_that_no_relay_seems_to_run(order: Order) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    Outbox.objects.filter(order_id=order.uuid).update(due_at=long_ago)
    order.saga.deadline = long_ago
    assert all("is a relay running?" in finding.text for finding in why_it_waits(order))


@pytest.mark.parametrize(
    ("state", "expected"), [("parked", "waits for a person"), ("ended", "is at its end")]
)
def test_why_it_waits_begins_with_the_saga(order: Order, state: str, expected: str) -> None:
    order.saga.state, order.saga.deadline = state, None
    assert expected in why_it_waits(order)[0].text


def test_staff_cancel_after_being_asked(staff: Callable[..., Client], order: Order) -> None:
    client, page = staff(), reverse("admin:orders_order_cancel", args=[order.pk])
    assert "Yes, cancel" in text(client.get(page))
    assert Order.objects.get(pk=order.pk).status == "placed"
    assert "is being cancelled" in said(client.post(page, {"confirmed": "yes"}, follow=True))
    assert Order.objects.get(pk=order.pk).status == "cancelling"
    assert Outbox.objects.get(type="CancellationRequested").payload["by"] == "staff"


def test_what_has_been_shipped_is_not_cancelled_and_staff_are_told(
    staff: Callable[..., Client], order: Order
) -> None:
    Order.objects.filter(pk=order.pk).update(status="shipped")
    answer = staff().post(reverse("admin:orders_order_cancel", args=[order.pk]), follow=True)
    assert "can only be returned" in said(answer)
    assert Order.objects.get(pk=order.pk).status == "shipped"
    assert not Outbox.objects.filter(type="CancellationRequested").exists()


def test_who_may_only_look_moves_nothing(staff: Callable[..., Client], order: Order) -> None:
    client = staff("orders.view_order", "orders.view_inbox")
    row = parked("orders", order)
    saga = Saga.objects.values().get(order=order)
    for button in ("cancel", "resume"):
        assert client.post(reverse(f"admin:orders_order_{button}", args=[order.pk])).status_code == 403
    for action in ("cancel_selected", "resume_selected"):
        chosen = {"action": action, "_selected_action": order.pk, "confirmed": "yes"}
        client.post(address("orders.order", "changelist"), chosen)
    client.post(address("orders.inbox", "changelist"), {"action": "send_again", "_selected_action": row.pk})
    row.refresh_from_db()
    assert row.state == "parked"
    assert Order.objects.get(pk=order.pk).status == "placed"
    assert Saga.objects.values().get(order=order) == saga
    assert not Outbox.objects.filter(type="CancellationRequested").exists()


def test_several_orders_are_cancelled_from_the_list_after_being_asked(
    staff: Callable[..., Client], place_order: Any
) -> None:
    ids = [Order.objects.get(uuid=place_order().id).pk for _ in range(2)]
    client, page = staff(), address("orders.order", "changelist")
    chosen = {"action": "cancel_selected", "_selected_action": ids}
    assert "Cancel 2 orders" in text(client.post(page, chosen))
    assert not Order.objects.filter(status="cancelling").exists()
    assert "2: The order is being cancelled" in said(
        client.post(page, {**chosen, "confirmed": "yes"}, follow=True)
    )
    assert Order.objects.filter(status="cancelling").count() == 2


@pytest.mark.parametrize("way", ["button", "action"])
def test_a_parked_order_is_resumed(staff: Callable[..., Client], order: Order, way: str) -> None:
    Saga.objects.filter(order=order).update(state="parked", deadline=None, attempt=8)
    if way == "button":
        staff().post(reverse("admin:orders_order_resume", args=[order.pk]))
    else:
        chosen = {"action": "resume_selected", "_selected_action": order.pk}
        staff().post(address("orders.order", "changelist"), chosen)
    saga = Saga.objects.get(order=order)
    assert (saga.state, saga.attempt) == ("running", 0)
    assert saga.deadline is not None
    assert saga.deadline <= timezone.now()


def test_an_ended_order_has_nothing_to_resume(staff: Callable[..., Client], order: Order) -> None:
    Saga.objects.filter(order=order).update(state="ended", deadline=None)
    answer = staff().post(reverse("admin:orders_order_resume", args=[order.pk]), follow=True)
    assert "Nothing was done" in said(answer)
    assert Saga.objects.get(order=order).state == "ended"


@pytest.mark.parametrize("service", ["orders", "payments"])
def test_a_parked_delivery_is_sent_again_and_a_handled_one_is_not(
    staff: Callable[..., Client], order: Order, service: str
) -> None:
    Saga.objects.filter(order=order).update(state="parked", deadline=None)
    row, done = parked(service, order), parked(service, order, state="done", attempts=2)
    chosen = {"action": "send_again", "_selected_action": [row.pk, done.pk]}
    answer = staff().post(address(f"{service}.inbox", "changelist"), chosen, follow=True)
    assert "1 event will be tried again now. 1 event had been handled already" in said(answer)
    row.refresh_from_db()
    done.refresh_from_db()
    assert (row.state, row.attempts) == ("failing", 0)
    assert row.due_at <= timezone.now()
    assert (done.state, done.attempts, done.due_at) == ("done", 2, None)
    assert Saga.objects.get(order=order).state == ("running" if service == "orders" else "parked")


def test_payloads_are_shown_as_text(staff: Callable[..., Client], order: Order) -> None:
    row = parked("payments", order)
    page = text(staff().get(address("payments.inbox", "change", row.pk)))
    assert "&lt;b&gt;this&lt;/b&gt;" in page
    event = outbox_of("orders")._default_manager.get(order_id=order.uuid)
    assert "total_minor" in text(staff().get(address("orders.outbox", "change", event.pk)))


def test_lengths_of_time_are_said_as_people_say_them() -> None:
    told = [span(timedelta(seconds=s)) for s in (-1, 0.012, 1.24, 184, 7500, 360_000)]
    assert told == ["0 ms", "12 ms", "1.2 s", "3 min 4 s", "2 h 5 min", "4 d 4 h"]
