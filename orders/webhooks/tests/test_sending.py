"""Messages on their way to a customer's server that behaves, or does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from orders.models import Order
from orders.webhooks import calling
from orders.webhooks.messages import new_secret
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from orders.webhooks.registering import MOST_OLD_SECRETS, SecretsCount, register, renew_secret
from orders.webhooks.sender import LANES
from orders.webhooks.tests.conftest import CUSTOMER, Message, Run
from tests.receiver import CLOSE, ENDLESS, HANG, Receiver
from tests.threads import at_once

State = WebhookDelivery.State


def tried(*messages: WebhookDelivery) -> bool:
    rows = WebhookDelivery.objects.filter(pk__in=[message.pk for message in messages])
    return not rows.filter(tried_at=None).exists()


def test_a_message_holds_ids_and_links_and_is_signed(
    order: Order, endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://shop.example/"
    told = message(endpoint, order_id=order.uuid, number=order.number)
    send(lambda: tried(told))
    (came,) = receiver.received
    came.verify(endpoint.secret)
    with pytest.raises(WebhookVerificationError):
        came.verify(new_secret())
    here = f"https://shop.example{reverse('api-order', args=[order.uuid])}"
    links = {
        "self": here,
        "timeline": f"https://shop.example{reverse('api-order-timeline', args=[order.uuid])}",
    }
    assert came.id == told.message_id
    assert came.data == {
        "type": "order.paid",
        "timestamp": told.happened_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "order": {
                "id": str(order.uuid),
                "number": order.number,
                "status": "paid",
                "sequence": 1,
                "links": links,
            }
        },
    }
    told.refresh_from_db()
    assert (told.state, told.status_code, told.attempts, told.trouble) == (State.DELIVERED, 204, 1, "")


@pytest.mark.parametrize(
    ("answer", "status", "trouble"),
    [
        (500, 500, "did not take it (500)"),
        (302, 302, "answered with a redirect (302), which is not followed"),
        (HANG, None, "did not answer in time"),
        (CLOSE, None, "broke off without an answer"),
    ],
)
def test_what_is_not_taken_is_sent_again_later_under_the_same_id(
    answer: int | str, status: int | None, trouble: str,
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run,
) -> None:  # fmt: skip
    receiver.answers["/hook"] = answer
    receiver.headers = {"Location": receiver.url("/elsewhere")}
    told = message(endpoint)
    send(lambda: tried(told))
    told.refresh_from_db()
    assert (told.state, told.status_code, told.trouble) == (State.WAITING, status, trouble)
    assert told.due_at
    assert told.tried_at
    wait = (told.due_at - told.tried_at).total_seconds()
    assert 4.4 < wait < 5.6
    receiver.answers.clear()
    WebhookEndpoint.objects.update(resting_until=None)
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send(lambda: WebhookDelivery.objects.filter(state=State.DELIVERED).exists())
    assert [(came.path, came.id) for came in receiver.received] == [("/hook", told.message_id)] * 2
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.resting_until) == (0, None, None)


def test_an_answer_without_end_is_not_read_to_its_end(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    receiver.answers["/hook"] = ENDLESS
    told = message(endpoint)
    began = time.monotonic()
    send(lambda: tried(told))
    told.refresh_from_db()
    assert (told.state, told.status_code) == (State.DELIVERED, 200)
    assert time.monotonic() - began < 1.0


def test_who_hangs_holds_up_nobody_else(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run, settings: Any
) -> None:
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANSWER_WITHIN": 1.5}
    hanging = [register(2, receiver.url(f"/{n}"), []) for n in range(4)]
    for one in hanging:
        receiver.answers[one.url.removeprefix(receiver.url(""))] = HANG
        for _ in range(10):
            message(one)
    good = [message(endpoint) for _ in range(20)]
    send(lambda: len(receiver.of("/hook")) == len(good))
    assert (
        max(came.began for came in receiver.of("/hook")) - min(came.began for came in receiver.received) < 1.4
    )
    assert all(receiver.most_at_once[f"/{n}"] <= LANES for n in range(4))


def test_messages_of_one_order_come_in_their_sequence_and_wait_when_nobody_is_there(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    first = message(endpoint)
    rest = [message(endpoint, order_id=first.order_id, kind=f"order.{n}", sequence=n) for n in range(2, 6)]
    receiver.answers["/hook"] = CLOSE
    send(lambda: tried(first) and not WebhookDelivery.objects.filter(state=State.SENDING).exists())
    assert len(receiver.received) == 1
    assert {row.attempts for row in WebhookDelivery.objects.filter(pk__in=[row.pk for row in rest])} == {0}
    receiver.answers.clear()
    receiver.received.clear()
    WebhookEndpoint.objects.update(resting_until=None, failures=0)
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send(lambda: tried(*rest))
    assert [came.data["data"]["order"]["sequence"] for came in receiver.received] == [1, 2, 3, 4, 5]


def test_a_name_that_leads_into_this_network_is_refused_when_it_is_called(
    receiver: Receiver, message: Message, send: Run, settings: Any, db: None
) -> None:
    """Nobody can see from the name where it leads; and it may lead elsewhere now than when it was registered."""
    endpoint = register(CUSTOMER, f"http://localhost:{receiver.port}/hook", [])
    settings.WEBHOOKS = {**settings.WEBHOOKS, "ANYWHERE": False}
    told = message(endpoint)
    send(lambda: tried(told))
    told.refresh_from_db()
    assert (told.status_code, told.trouble) == (None, "has an address that is not public")
    assert receiver.received == []


def test_for_a_day_each_secret_counts_however_often_it_is_renewed(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message, send: Run
) -> None:
    known = [endpoint.secret]
    for _ in range(MOST_OLD_SECRETS):
        known.insert(0, renew_secret(endpoint).secret)
    first = message(endpoint)
    send(lambda: tried(first))
    for secret in known:
        receiver.received[0].verify(secret)
    assert len(set(known)) == MOST_OLD_SECRETS + 1
    endpoint.refresh_from_db()
    _a_day_later(endpoint, of=2)
    second = message(endpoint)
    send(lambda: tried(second))
    for secret in known[:3]:
        receiver.received[1].verify(secret)
    for secret in known[3:]:
        with pytest.raises(WebhookVerificationError):
            receiver.received[1].verify(secret)


def test_only_so_many_old_secrets_count_and_none_is_dropped_for_another(endpoint: WebhookEndpoint) -> None:
    for _ in range(MOST_OLD_SECRETS):
        renew_secret(endpoint)
    endpoint.refresh_from_db()
    with pytest.raises(SecretsCount) as full:
        renew_secret(endpoint)
    assert full.value.args == (datetime.fromisoformat(endpoint.old_secrets[-1]["until"]),)
    before = endpoint.secret, endpoint.old_secrets
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.old_secrets) == before
    _a_day_later(endpoint, of=1)
    renewed = renew_secret(endpoint)
    assert [old["secret"] for old in renewed.old_secrets] == [
        before[0],
        *(old["secret"] for old in before[1][:-1]),
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_renew_it_at_once_both_are_told_secrets_that_count(endpoint: WebhookEndpoint) -> None:
    first = endpoint.secret
    made = at_once(*(lambda: renew_secret(endpoint).secret for _ in range(2)))
    endpoint.refresh_from_db()
    assert {endpoint.secret, *(old["secret"] for old in endpoint.old_secrets)} == {first, *made}


def _a_day_later(endpoint: WebhookEndpoint, of: int) -> None:
    """For the oldest secrets."""
    for old in endpoint.old_secrets[-of:]:
        old["until"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    endpoint.save()


def test_what_breaks_within_ends_no_lane(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    message: Message,
    send: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: Any) -> Callable[..., Any]:
        raise RuntimeError("no handle")

    with monkeypatch.context() as at_first:
        at_first.setattr(calling, "fresh_handle", broken)
        told = message(endpoint)
        send(lambda: tried(told))
    told.refresh_from_db()
    assert told.trouble == "could not be asked (RuntimeError)"
    assert told.state == State.WAITING


def test_two_senders_never_have_the_same_message(
    endpoint: WebhookEndpoint, receiver: Receiver, message: Message
) -> None:
    from orders.webhooks.claiming import claim

    message(endpoint)
    assert len(claim(5, [])) == 1
    assert claim(5, []) == []
    WebhookDelivery.objects.update(due_at=timezone.now() - timedelta(seconds=1))  # who had it has died
    (again,) = claim(5, [])
    assert again.attempt == 2
