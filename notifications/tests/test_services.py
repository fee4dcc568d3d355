from __future__ import annotations

import smtplib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DataError
from django.db.models import F
from django.utils import timezone

from notifications import services
from notifications.mailbox import MailboxBackend
from notifications.models import Mail, Notification, Outbox
from notifications.services import send_cancellation_notice, send_confirmation
from tests.statements import statements

sent: list[str] = []


class Server(BaseEmailBackend):
    """A mail server as SMTP is: it can't tell whether it has sent a mail before."""

    trouble: Exception | None = None

    def send_messages(self, email_messages: Any) -> int:
        if Server.trouble:
            raise Server.trouble
        sent.extend(message.subject for message in email_messages)
        return len(email_messages)


def told(ref: Any) -> list[str]:
    return list(Outbox.objects.filter(order_id=ref.id).values_list("type", flat=True))


def use_a_server(settings: Any, trouble: Exception | None = None) -> None:
    settings.EMAIL_BACKEND = "notifications.tests.test_services.Server"
    Server.trouble = trouble
    sent.clear()


def test_one_confirmation_however_often_it_is_asked_for(place_order: Any, mailbox: None) -> None:
    ref = place_order()
    for _ in range(3):
        assert send_confirmation([ref]).done == [ref]
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == ("ada@example.invalid", f"Your order {ref.number} is on its way")
    assert "Product A" in mail.text
    assert "Product A" in mail.html
    assert told(ref) == ["ConfirmationSent"]


def test_names_are_escaped_in_html(place_order: Any, mailbox: None) -> None:
    from orders.models import Order

    ref = place_order()
    Order.objects.filter(uuid=ref.id).update(name="<script>alert(1)</script>")
    send_cancellation_notice([ref])
    assert "<script>" not in Mail.objects.get().html
    assert "<script>" in Mail.objects.get().text


def test_a_mail_the_server_refused_is_tried_again(place_order: Any, settings: Any) -> None:
    ref = place_order()
    use_a_server(settings, smtplib.SMTPDataError(451, b"try later"))
    assert list(send_confirmation([ref]).faults) == [ref]
    assert told(ref) == []
    use_a_server(settings)
    assert send_confirmation([ref]).done == [ref]
    assert len(sent) == 1


def test_a_mail_whose_fate_is_unknown_is_never_sent_again(place_order: Any, settings: Any) -> None:
    ref = place_order()
    use_a_server(settings, smtplib.SMTPServerDisconnected("gone in the middle"))
    assert list(send_confirmation([ref]).faults) == [ref]
    use_a_server(settings)
    assert list(send_confirmation([ref]).faults) == [ref]  # perhaps another worker is still at it
    Notification.objects.update(sending_since=timezone.now() - timedelta(minutes=2))
    assert send_confirmation([ref]).done == [ref]
    assert sent == []
    assert Notification.objects.get().state == "unknown"
    assert told(ref) == ["ConfirmationSent"]
    assert Outbox.objects.get(order_id=ref.id).payload["certain"] is False
    assert send_confirmation([ref]).done == [ref]
    assert told(ref) == ["ConfirmationSent"]


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(hours=-1)], ids=["fast", "slow"])
def test_a_sender_whose_clock_is_wrong_is_not_taken_for_dead_nor_waited_for_for_an_hour(
    place_order: Any, settings: Any, by: timedelta
) -> None:
    ref = place_order()
    use_a_server(settings, smtplib.SMTPServerDisconnected("gone in the middle"))
    with time_machine.travel(by):
        send_confirmation([ref])
    assert list(send_confirmation([ref]).faults) == [ref]  # it may still be at it
    Notification.objects.update(sending_since=F("sending_since") - timedelta(minutes=2))
    assert send_confirmation([ref]).done == [ref]
    assert Notification.objects.get().state == "unknown"


def test_a_mail_claimed_while_the_databases_clock_was_fast_is_not_waited_for_until_then(
    place_order: Any, settings: Any
) -> None:
    ref = place_order()
    use_a_server(settings, smtplib.SMTPServerDisconnected("gone in the middle"))
    send_confirmation([ref])
    Notification.objects.update(sending_since=timezone.now() + timedelta(hours=1))
    assert send_confirmation([ref]).done == [ref]
    assert Notification.objects.get().state == "unknown"


def test_the_mailbox_takes_up_a_mail_whose_sender_died(place_order: Any, mailbox: None) -> None:
    ref = place_order()
    send_confirmation([ref])
    Notification.objects.update(state="sending")
    assert send_confirmation([ref]).done == [ref]
    assert Mail.objects.count() == 1


class DropsAfterOne(BaseEmailBackend):
    """A mail server that takes one mail per connection, as many take no more than so many."""

    def open(self) -> bool:
        self.left = 1
        return True

    def send_messages(self, email_messages: Any) -> int:
        if not self.left:
            raise smtplib.SMTPServerDisconnected("please run connect() first")
        self.left -= 1
        sent.extend(message.subject for message in email_messages)
        return len(email_messages)


def test_a_dropped_connection_loses_nobody_elses_mail(place_order: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "notifications.tests.test_services.DropsAfterOne"
    sent.clear()
    refs = [place_order() for _ in range(4)]
    assert send_confirmation(refs).done == refs
    assert len(sent) == 4


def test_what_breaks_before_the_first_mail_claims_none(
    place_order: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [place_order() for _ in range(3)]
    use_a_server(settings)

    def out_of_reach(*args: Any) -> Any:
        raise ConnectionError("orders' database is away")

    with monkeypatch.context() as away:
        away.setattr(services, "ask", out_of_reach)
        with pytest.raises(ConnectionError):
            send_confirmation(refs)
    assert send_confirmation(refs).done == refs
    assert len(sent) == 3


@pytest.mark.parametrize("size", [1, 50])
def test_a_set_of_mails_takes_as_many_statements_as_a_lone_one(
    size: int, place_order: Any, mailbox: None
) -> None:
    """Whom to, what about; the claim, the mails, what became of them, the events."""
    refs = [place_order() for _ in range(size)]
    with statements() as sent:
        assert send_confirmation(refs).done == refs
    assert Mail.objects.count() == size
    assert len(sent) == 7, sent


def test_in_one_set_each_mail_is_treated_by_where_it_stands(place_order: Any, settings: Any) -> None:
    use_a_server(settings)
    ready, pending, busy, lost, fresh = refs = [place_order() for _ in range(5)]
    assert send_confirmation(refs[:4]).done == refs[:4]
    sent.clear()
    rows = {row.order_id: row for row in Notification.objects.all()}
    long_ago = timezone.now() - timedelta(minutes=2)
    Notification.objects.filter(order_id=pending.id).update(state="pending")
    Notification.objects.filter(order_id=busy.id).update(state="sending")
    Notification.objects.filter(order_id=lost.id).update(state="sending", sending_since=long_ago)
    outcome = send_confirmation(refs)
    assert outcome.done == [ready, pending, lost, fresh]
    assert list(outcome.faults) == [busy]
    assert sorted(sent) == sorted(f"Your order {ref.number} is on its way" for ref in (pending, fresh))
    states = {row.order_id: (row.state, row.message_id) for row in Notification.objects.all()}
    expected = {ready: "sent", pending: "sent", busy: "sending", lost: "unknown"}
    assert {ref: states[ref.id] for ref in expected} == {
        ref: (state, rows[ref.id].message_id) for ref, state in expected.items()
    }
    assert states[fresh.id][0] == "sent"
    assert Outbox.objects.filter(order_id=lost.id, payload__certain=False).count() == 1


def test_a_mail_that_the_mailbox_may_have_forgotten_is_not_sent_again(
    place_order: Any, mailbox: None, settings: Any
) -> None:
    remembered, forgotten = place_order(), place_order()
    assert send_confirmation([remembered, forgotten]).done == [remembered, forgotten]
    Notification.objects.update(state="sending")
    for ref, age in ((remembered, -1), (forgotten, 1)):
        since = timezone.now() - timedelta(days=settings.RETENTION["MAILS"] + age)
        Notification.objects.filter(order_id=ref.id).update(sending_since=since)
    Mail.objects.all().delete()
    assert send_confirmation([remembered, forgotten]).done == [remembered, forgotten]
    states = dict(Notification.objects.values_list("order_id", "state"))
    assert states == {remembered.id: "sent", forgotten.id: "unknown"}
    assert remembered.number in Mail.objects.get().subject


class Picky(MailboxBackend):
    """A mailbox that cannot keep Eve's mails."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if any("Eve" in str(message.body) for message in email_messages):
            raise DataError("does not fit")
        return super().send_messages(email_messages)


def test_a_mail_that_the_mailbox_cannot_keep_loses_nobody_elses(place_order: Any, settings: Any) -> None:
    from orders.models import Order

    settings.EMAIL_BACKEND = "notifications.tests.test_services.Picky"
    good, bad, other = refs = [place_order() for _ in range(3)]
    Order.objects.filter(uuid=bad.id).update(name="Eve")
    outcome = send_confirmation(refs)
    assert (outcome.done, list(outcome.faults)) == ([good, other], [bad])
    assert told(bad) == []
    assert Mail.objects.count() == 2
    assert Notification.objects.get(order_id=bad.id).state == "pending"


def test_a_mail_claimed_and_given_up_meanwhile_is_told_of_once(
    place_order: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender was so slow that another worker has declared it unknown; then it comes back with good news."""
    ref = place_order()
    use_a_server(settings)
    send = Server.send_messages

    def send_slowly(self: Server, mails: Any) -> int:
        Notification.objects.update(sending_since=timezone.now() - timedelta(minutes=2))
        assert send_confirmation([ref]).done == [ref]
        return send(self, mails)

    monkeypatch.setattr(Server, "send_messages", send_slowly)
    assert send_confirmation([ref]).done == [ref]
    assert len(sent) == 1
    assert Notification.objects.get().state == "unknown"
    assert told(ref) == ["ConfirmationSent"]
