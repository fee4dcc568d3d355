"""Texts that want to be more than text: on every page they stand as they are, and run nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models, router, transaction
from django.test import Client

from inventory.models import Product, Stock, Warehouse
from notifications.models import Mail
from notifications.services import send_confirmation
from orders.lookups import DeliveryAddress
from orders.models import Order, OrderLine
from shipping.labels import ParcelLabel, draw
from shop.base.tracking import token_of
from shop.tests.addresses import addresses
from tests.one_of_each import one_of_each

HOSTILE = "\"'><script>alert(1)</script>"
RUNS, ESCAPED = "<script>alert(1)", "&lt;script&gt;alert(1)"
# What the shop itself writes, from a list of its own, and pages take it for that.
OURS = {
    "type",
    "receiver",
    "template",
    "event",
    "style",
    "state",
    "status",
    "currency",
    "country",
    "operation",
}
# Boxes are drawn by the same code for each service.
SAME_AS_OTHERS = re.compile(
    r"/(add|delete|history)/$|^admin/(?!orders)\w+/(outbox|inbox|incident|deadletter)/"
)
ASKED = (
    "q",
    "page",
    "style",
    "search",
    "next",
    "o",
    "_changelist_filters",
    "_popup",
    "number",
    "version",
    "p",
)

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.urls("shop.tests.addresses")]


@pytest.fixture
def order(place_order: Any) -> Order:
    """With a row of all there is, and in each text somebody might write what is hostile."""
    order = Order.objects.select_related("saga").get(uuid=place_order().id)
    user = User.objects.create_superuser("ada", first_name=HOSTILE, email="ada@example.com")
    one_of_each(order, user)
    Order.objects.filter(pk=order.pk).update(customer_id=user.pk)
    for service in settings.SERVICES:
        for model in apps.get_app_config(service).get_models():
            for field in texts(model):
                write(model, field)
    product = Product.objects.create(sku=HOSTILE, name=HOSTILE, price_minor=1)
    Stock.objects.create(product=product, warehouse=Warehouse.objects.all()[0], on_hand=3)
    return order


def texts(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
        if is_text and not field.primary_key and field.name not in OURS | {"html"}:
            yield field.name


def write(model: type[models.Model], field: str) -> None:
    """Where the database lets it stand."""
    try:
        with transaction.atomic(router.db_for_write(model)):
            model._base_manager.update(**{field: HOSTILE})
    except DatabaseError:
        pass


def test_what_people_write_runs_on_no_page(order: Order) -> None:
    client, shown = Client(raise_request_exception=False), 0
    client.force_login(User.objects.get(username="ada"))
    asked = dict.fromkeys(ASKED, HOSTILE)
    for address in addresses():
        if SAME_AS_OTHERS.search(address.route):
            continue
        where = address.filled(of(order, address.route))
        for query in ({}, asked) if not address.parameters else ({},):
            answer = client.get(where, query)
            assert answer.status_code < 500, where
            if answer["Content-Type"].startswith("text/html") and not answer.streaming:
                page = answer.content.decode()
                assert RUNS not in page, where
                shown += ESCAPED in page
    assert shown > 20


def of(order: Order, route: str) -> dict[str, object]:
    values: dict[str, object] = {
        "id": User.objects.get(username="ada").pk if route.startswith("admin/auth/") else order.uuid,
        "order_id": order.uuid,
        "token": token_of(order.uuid),
        "sku": "A",
        "warehouse": "NORTH",
        "content_type_id": ContentType.objects.get_for_model(Order).pk,
        "object_id": order.pk,
    }
    parts = route.split("/")
    if parts[0] == "admin" and len(parts) > 4:
        row = apps.get_model(parts[1], parts[2])._base_manager.last() if parts[1] != "r" else None
        values |= {"pk": row.pk, "object_id": row.pk} if row else {}
    return values


def test_what_people_write_is_text_in_their_mails_too(place_order: Any, mailoutbox: list[Any]) -> None:
    ref = place_order()
    Order.objects.update(name=HOSTILE)
    OrderLine.objects.update(name=HOSTILE)
    assert not send_confirmation([ref]).faults
    (mail,) = mailoutbox
    (page, kind), *_ = mail.alternatives
    assert kind == "text/html"
    assert RUNS not in page
    assert ESCAPED in page
    assert HOSTILE in mail.body


def test_the_mail_in_its_frame_runs_nothing_whatever_stands_in_it(order: Order) -> None:
    client, mail = Client(), Mail.objects.last()
    client.force_login(User.objects.get(username="ada"))
    assert mail
    policy = client.get(f"/admin/notifications/mail/{mail.pk}/html/")["Content-Security-Policy"]
    assert {"default-src 'none'", "sandbox"} <= set(policy.split("; "))


def test_a_label_is_a_picture_of_the_text() -> None:
    """What a PDF would do, if it stood outside of a text."""
    hostile = ") Tj ET >> /OpenAction << /S /JavaScript /JS (app.alert(1)) >> ("
    address = DeliveryAddress(name=hostile, line1=hostile, city=hostile, postcode="N1", country="GB")
    label = ParcelLabel(address=address, order_number="S-1", warehouse=hostile[:40], tracking="SB1")
    file = draw(label, compressed=False)
    assert file.count(b"/Type /Page\n") == 1
    for outside in (b"/OpenAction <<", b"/S /JavaScript", b"/JS ("):
        assert outside not in re.sub(rb"\((?:[^\\()]|\\.)*\)", b"()", file)


def test_what_is_hostile_in_an_answer_of_the_api_is_no_page(order: Order) -> None:
    client = Client()
    for where in (f"/api/v1/products/?search={HOSTILE}", f"/api/{HOSTILE}/", f"/api/v1/orders/{HOSTILE}/"):
        answer = client.get(where)
        assert answer["Content-Type"] in ("application/json", "application/problem+json")
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "text/html",
        "application/xml",
        "",
    ],
)
def test_what_is_no_json_is_not_taken_for_some(content_type: str) -> None:
    """A form on another's page can send these without asking."""
    answer = Client().post(
        "/api/v1/login/", b'{"username": "ada", "password": "x"}', content_type=content_type
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("how", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_the_method_is_the_one_of_the_request(how: str, order: Order) -> None:
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    for method in ("DELETE", "PUT", "POST"):
        address = f"/orders/{order.uuid}/cancel/"
        before = Order.objects.get(pk=order.pk).status
        assert client.get(address, {"_method": method}, headers={how: method}).status_code == 200
        assert Order.objects.get(pk=order.pk).status == before
        assert client.post("/api/v1/products/", {"_method": "GET"}, headers={how: "GET"}).status_code == 405
