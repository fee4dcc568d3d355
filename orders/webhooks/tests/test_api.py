"""Registering and looking after webhooks over REST."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connections, router
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.test import APIClient

from orders.api.tests.client import client_of
from orders.webhooks.api.fields import NAMED
from orders.webhooks.api.serializers import RegisterSerializer
from orders.webhooks.api.views import WebhooksView
from orders.webhooks.kinds import KINDS
from orders.webhooks.models import LONGEST_URL, WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import MOST_OLD_SECRETS, pause, resume, send_again
from orders.webhooks.tests.conftest import Message
from shop.tests.documents import problem
from shop.tests.schema import component, flaws

URL = "/api/v1/webhooks/"
HOOK = "https://example.com/hook"


@pytest.fixture
def ada(db: None) -> APIClient:
    return client_of("ada")


def post(client: APIClient, address: str, body: object = None) -> Any:
    return client.post(address, body, format="json")


def register(client: APIClient, **body: Any) -> dict[str, Any]:
    answer = post(client, URL, {"url": HOOK, **body})
    assert answer.status_code == 201, answer.content
    assert answer["Location"] == answer.json()["links"]["self"]
    found: dict[str, Any] = answer.json()
    return found


def test_the_secret_is_shown_once(ada: APIClient) -> None:
    made = register(ada, events=[KINDS[0]])
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["events"], made["state"]) == (HOOK, [KINDS[0]], "on")
    endpoint = WebhookEndpoint.objects.get(uuid=made["id"])
    assert endpoint.customer_id == User.objects.get(username="ada").pk
    for answer in (ada.get(URL), ada.get(made["links"]["self"]), ada.get(made["links"]["deliveries"])):
        assert answer.status_code == 200
        assert endpoint.secret not in answer.content.decode()
    assert [one["id"] for one in ada.get(URL).json()] == [made["id"]]
    renewed = post(ada, made["links"]["secret"]).json()["secret"]
    assert renewed != made["secret"]
    endpoint.refresh_from_db()
    assert (endpoint.secret, [old["secret"] for old in endpoint.old_secrets]) == (renewed, [made["secret"]])


def test_who_renews_it_too_often_is_told_when_it_may_be_renewed(ada: APIClient) -> None:
    made = register(ada)
    for _ in range(MOST_OLD_SECRETS):
        assert post(ada, made["links"]["secret"]).status_code == 200
    endpoint = WebhookEndpoint.objects.get()
    told = problem(post(ada, made["links"]["secret"]), 409)
    assert told["type"].endswith(":too-many-secrets")
    until = datetime.fromisoformat(endpoint.old_secrets[-1]["until"]) + timedelta(seconds=1)
    assert f"renew it after {until:%Y-%m-%dT%H:%M:%SZ}." in told["detail"]
    assert "whsec_" not in told["detail"]
    assert WebhookEndpoint.objects.get().secret == endpoint.secret


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": 5}, "url"),
        ({"url": "https://example.com/\x00"}, "url"),
        ({}, "url"),
        ({"url": HOOK, "events": ["order.lost"]}, "events"),
        ({"url": HOOK, "events": "order.paid"}, "events"),
        ({"url": HOOK, "events": [KINDS[0]] * 50}, "events"),
        ({"url": HOOK, "secret": "mine"}, "secret"),
    ],
)
def test_what_is_wrong_is_named(ada: APIClient, settings: Any, body: dict[str, Any], field: str) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": False}
    answer = post(ada, URL, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(field)
    assert not WebhookEndpoint.objects.exists()


@examples(max_examples=200, deadline=None, database=None)
@given(url=st.from_regex(NAMED, fullmatch=True).filter(lambda url: len(url) <= LONGEST_URL))
def test_what_the_published_pattern_makes_of_names_is_taken(url: str) -> None:
    assert RegisterSerializer(data={"url": url}).is_valid(), url


@pytest.mark.parametrize(
    "url",
    [
        HOOK, "https://93.184.216.34:8443/?of=ada", "https://[2606:4700::1111]/", "HTTPS://a.Example.xn--P1AI.?q#", "",
        "https://example.com:0/", "https://example.com:65536/", "https://example.com:65535", "https://a_b.com/",
        "https://-a.com/", "https://a.com-/", "https://example.com/ ", " https://example.com/", "https://example.com/a b",
        "https://example.com#", "https://u@example.com/", "https://example.com\\@a.b/", "https://example/", "https://a..b.com/",
        "https://example.com/\u00e4", "https://example.com./a?b=%20@/:[]", "ftp://example.com/", f"{HOOK}{'x' * 480}",
    ],
)  # fmt: skip
def test_a_url_is_refused_by_the_schema_where_it_is_refused_here(db: None, settings: Any, url: str) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": False}
    here = RegisterSerializer(data={"url": url})
    assert here.is_valid() == (flaws({"url": url}, component("RegisterRequest")) == []), here.errors


def test_a_customer_has_only_so_many(ada: APIClient, settings: Any) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ENDPOINTS": 2}
    made = [register(ada) for _ in range(2)]
    refused = post(ada, URL, {"url": HOOK})
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "You have 2 webhooks, and may have no more: delete one.",
    )
    assert ada.delete(made[0]["links"]["self"]).status_code == 204
    register(ada)
    register(client_of("eve"))
    assert WebhookEndpoint.objects.count() == 3


def test_nobody_sees_or_touches_another_customers(ada: APIClient, message: Message) -> None:
    made = register(ada)
    endpoint = WebhookEndpoint.objects.get()
    message(endpoint)
    eve = client_of("eve")
    assert eve.get(URL).json() == []
    addresses = [str(pattern.pattern) for pattern in get_resolver("orders.webhooks.api.urls").url_patterns]
    assert len(addresses) == 6
    for address in (address.replace("<id:id>", made["id"]) for address in addresses if address):
        for client, status in ((eve, 404), (APIClient(), 401), (client_of("staff", staff=True), 404)):
            for method in (client.get, client.post, client.delete):
                answer = method(f"{URL}{address}")
                assert answer.status_code in (status, 405), (address, method)
        assert eve.generic("OPTIONS", f"{URL}{address}").status_code != 500
    before = WebhookEndpoint.objects.get()
    assert (before.secret, before.state, before.deliveries.count()) == (endpoint.secret, "on", 1)
    assert ada.get(f"{URL}{uuid4()}/").status_code == 404


def test_what_is_deleted_is_locked_before_its_messages(ada: APIClient, message: Message) -> None:
    """As by the sender, who else would hold the one and wait for the other: a deadlock, and 503."""
    made = register(ada)
    message(WebhookEndpoint.objects.get())
    with CaptureQueriesContext(connections[router.db_for_write(WebhookEndpoint)]) as asked:
        assert ada.delete(made["links"]["self"]).status_code == 204
    tables = [query["sql"] for query in asked if "webhook" in query["sql"]]
    locked = next(
        place for place, sql in enumerate(tables) if "FOR UPDATE" in sql and "webhookendpoint" in sql
    )
    deleted = next(place for place, sql in enumerate(tables) if sql.startswith("DELETE"))
    assert locked < deleted
    assert (WebhookEndpoint.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


def test_a_test_is_sent_one_at_a_time(ada: APIClient) -> None:
    made = register(ada)
    sent = post(ada, made["links"]["test"])
    assert (sent.status_code, sent.json()["type"], sent.json()["order"]) == (202, "webhook.ping", None)
    assert post(ada, made["links"]["test"]).status_code == 409
    WebhookDelivery.objects.update(state="delivered", due_at=None)
    assert post(ada, made["links"]["test"]).status_code == 202
    (newest, oldest) = ada.get(made["links"]["deliveries"]).json()["results"]
    assert (newest["state"], oldest["state"]) == ("waiting", "delivered")
    assert newest["next_attempt"] is not None
    assert oldest["next_attempt"] is None
    rests = timezone.now() + timedelta(minutes=5)
    for off, expected in (({"resting_until": rests}, rests), ({"state": "paused"}, None)):
        WebhookEndpoint.objects.update(**off)
        told = ada.get(made["links"]["deliveries"]).json()["results"][0]["next_attempt"]
        assert (parse_datetime(told) if told else None) == expected


@pytest.mark.parametrize(("state", "named"), [("disabled", "webhook-disabled"), ("paused", "webhook-paused")])
def test_what_is_told_nothing_is_sent_no_test(ada: APIClient, state: str, named: str) -> None:
    """Instead of a 202 for a message that is not sent."""
    made = register(ada)
    WebhookEndpoint.objects.update(state=state)
    refused = post(ada, made["links"]["test"])
    assert (refused.status_code, refused.json()["type"].endswith(f":{named}")) == (409, True)
    assert WebhookDelivery.objects.count() == 0


def test_what_was_disabled_is_resumed_by_its_customer_and_what_was_paused_is_not(ada: APIClient) -> None:
    made = register(ada)
    WebhookEndpoint.objects.update(state="disabled", reason="It did not answer.", failures=9)
    assert ada.get(made["links"]["self"]).json()["reason"] == "It did not answer."
    assert post(ada, made["links"]["resume"]).json()["state"] == "on"
    endpoint = WebhookEndpoint.objects.get()
    assert pause(endpoint, "bob")
    assert post(ada, made["links"]["resume"]).status_code == 409
    assert ada.get(made["links"]["self"]).json()["reason"] == "Paused by bob."
    assert resume(endpoint)
    assert not resume(endpoint)


def test_what_was_given_up_can_be_sent_again_under_the_same_id(ada: APIClient, message: Message) -> None:
    register(ada)
    given_up = message(WebhookEndpoint.objects.get(), state="failed", due_at=None, attempts=20)
    assert send_again(given_up)
    again = WebhookDelivery.objects.get()
    assert (again.state, again.attempts, again.message_id) == ("waiting", 0, given_up.message_id)
    WebhookDelivery.objects.update(state="sending")
    assert not send_again(again)


@pytest.mark.parametrize("what", ["test", "secret", "resume"])
def test_what_another_request_has_just_removed_is_not_there(
    ada: APIClient, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the moment in which this one has found it and that in which it locks it."""
    made = register(ada)
    found = WebhooksView.one

    def and_removed(view: WebhooksView, id: UUID) -> WebhookEndpoint:
        endpoint = found(view, id)
        WebhookEndpoint.objects.all().delete()
        return endpoint

    monkeypatch.setattr(WebhooksView, "one", and_removed)
    problem(post(ada, made["links"][what]), 404)
