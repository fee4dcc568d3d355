"""Every answer has the request's id, and so has what an order's request leads to."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from orders.api.tests.client import post
from orders.api.tests.conftest import ada, catalogue  # noqa: F401
from orders.models import Order, Outbox
from orders.progress import note_progress
from shop.base.requests import HEADER, id_in, request_id
from shop.messaging.commands import decode, encode
from shop.messaging.events import from_payload, registry
from shop.messaging.origins import at_work

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.parametrize("path", ["/", "/livez", "/nowhere", "/admin/", "/api/v1/orders/", "/api/v1/nowhere"])
def test_every_answer_has_the_id_that_was_sent_or_one_of_ours(path: str) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(path, headers={HEADER: "mine.1-2_3"}).headers[HEADER] == "mine.1-2_3"
    ours = client.get(path).headers[HEADER]
    assert len(ours) == 32
    assert ours != client.get(path).headers[HEADER]


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a\nb", "<i>", "ada@example.invalid", "é", "a|b"])
def test_what_is_not_fit_to_be_kept_is_replaced(sent: str) -> None:
    assert len(request_id(sent)) == 32
    assert len(id_in([(b"x-request-id", sent.encode("latin-1"))])) == 32
    assert id_in([(b"X-Request-Id", b"fit")]) == "fit"


def test_an_order_keeps_the_id_of_its_request_and_hands_it_on(ada: APIClient) -> None:  # noqa: F811
    answer = post(ada, **{HEADER: "placed-it"})
    assert answer.headers[HEADER] == "placed-it"
    order = Order.objects.get(uuid=answer.json()["id"])
    stored = Outbox.objects.get()
    event = from_payload(registry[stored.type], stored.payload)
    assert event.origin
    assert event.origin.request == "placed-it"
    note_progress([event])
    assert order.timeline.get().request == "placed-it"
    with at_work({order.uuid: event.id}, {order.uuid: event.origin.request}):
        sent = encode([order.ref])
    refs, causes, requests = decode(json.loads(json.dumps(sent)))
    assert (refs, causes, requests) == (
        [order.ref], {order.uuid: event.id}, {order.uuid: "placed-it"}
    )  # fmt: skip


def test_the_same_order_in_another_request_is_the_same(ada: APIClient) -> None:  # noqa: F811
    first, again = (post(ada, key="once", **{HEADER: id}) for id in ("one", "two"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]


def test_a_cancellation_has_the_id_of_its_own_request(ada: APIClient) -> None:  # noqa: F811
    url = post(ada, **{HEADER: "placed-it"}).json()["links"]["self"]
    ada.post(f"{url}cancel/", headers={HEADER: "regretted-it"})
    told: list[Any] = [row.payload["origin"][-1] for row in Outbox.objects.order_by("id")]
    assert told == ["placed-it", "regretted-it"]


def test_nobody_writes_errors_into_the_log_by_a_host_that_is_not_ours() -> None:
    assert not logging.getLogger("django.security.DisallowedHost").isEnabledFor(logging.ERROR)
