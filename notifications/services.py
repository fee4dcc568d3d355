"""Notifications' operations. A mail can't be unsent, so its row is marked before it is sent, and never sent twice."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import DatabaseError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from notifications.events import CancellationNoticeSent, ConfirmationSent
from notifications.models import Notification
from orders.events import OrderCancelled
from orders.lookups import Contact, OrderLines
from shipping.events import OrderShipped
from shop.base.bulk import save_all
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.base.money import show
from shop.messaging.events import Event, Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.points import Point, reach
from shop.messaging.recording import recording

State = Notification.State
SENDING_TAKES_AT_MOST = timedelta(seconds=60)


def send_confirmation(refs: Sequence[Ref]) -> Outcome:
    """Tell each customer that the order is on its way."""
    return _send("confirmation", OrderShipped, "Your order {number} is on its way", ConfirmationSent, refs)


def send_cancellation_notice(refs: Sequence[Ref]) -> Outcome:
    """Tell each customer that the order is cancelled."""
    subject = "Your order {number} is cancelled"
    return _send("cancellation", OrderCancelled, subject, CancellationNoticeSent, refs)


def _send(
    template: str,
    about: type[Event],
    subject: str,
    told: type[ConfirmationSent | CancellationNoticeSent],
    refs: Sequence[Ref],
) -> Outcome:
    """Claim the mails, send them with no transaction open, record what became of each."""
    event = about.__name__
    mails = _write(template, subject, refs)  # what breaks here breaks before anything is claimed
    mine, busy = _claim(template, event, refs, sends_once=getattr(get_connection(), "sends_once", False))
    results = {order_id: _deliver(mails[order_id], message_id) for order_id, message_id in mine.items()}
    outcome = Outcome(
        faults={ref: Fault("Another worker is sending this mail.") for ref in refs if ref.id in busy}
    )
    with recording("notifications") as record:
        rows = _lock(template, event, refs)
        for ref in refs:
            row = rows[ref.id]
            if row.state == State.SENDING and ref.id in mine:
                problem = results[ref.id]
                if problem is None:
                    row.state = State.SENT
                    record.publish(told(ref=ref))
                else:
                    row.state = State.PENDING if isinstance(problem, NotSent) else row.state
                    outcome.faults[ref] = Fault(f"The mail was not taken: {problem}")
            elif row.state == State.UNKNOWN and row.sending_since is not None:
                row.sending_since = None
                record.publish(told(ref=ref, certain=False))
        save_all(rows.values(), ["state", "sending_since"])
    outcome.done += [ref for ref in refs if ref not in outcome.faults]
    return outcome


class NotSent(Exception):
    """The server said no, or was never reached: the mail may be sent again."""


def _deliver(mail: EmailMultiAlternatives, message_id: str) -> Exception | None:
    """Send one mail, over a connection of its own: one that breaks leaves the fate of no other mail unknown.

    Returns None (sent), NotSent, or the error that leaves the outcome unknown.
    """
    mail.extra_headers["Message-ID"] = message_id
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        return NotSent(type(error).__name__)
    try:
        connection.send_messages([mail])
        reach(Point.ANSWERED, "mail")
    except smtplib.SMTPResponseException as error:
        return NotSent(f"the server answered {error.smtp_code}")
    except (smtplib.SMTPRecipientsRefused, DatabaseError) as error:
        return NotSent(type(error).__name__)
    except Exception as error:
        return Exception(type(error).__name__)
    finally:
        connection.close()
    return None


def _claim(
    template: str, event: str, refs: Sequence[Ref], *, sends_once: bool
) -> tuple[dict[UUID, str], set[UUID]]:
    """Mark the orders' mails as being sent. Returns the Message-IDs of those that are ours
    to send, by order, and the orders whose mail another worker has in hand.

    A mail whose sender died in the middle may be out. Where the backend sends a Message-ID once, it is ours again;
    else, when the sender's time is over, its state is unknown for good and a person decides.
    """
    mine: dict[UUID, str] = {}
    busy: set[UUID] = set()
    now = timezone.now()
    with transaction.atomic(using=alias_of("notifications")):
        Notification.objects.bulk_create(
            (
                Notification(order_id=ref.id, number=ref.number, template=template, event=event)
                for ref in refs
            ),
            ignore_conflicts=True,
        )
        rows = _lock(template, event, refs)
        for order_id, row in rows.items():
            if row.state == State.PENDING or (row.state == State.SENDING and sends_once):
                row.state, row.sending_since = State.SENDING, now
                mine[order_id] = row.message_id
            elif (
                row.state == State.SENDING
                and row.sending_since
                and row.sending_since < now - SENDING_TAKES_AT_MOST
            ):
                row.state = State.UNKNOWN
            elif row.state == State.SENDING:
                busy.add(order_id)
        save_all(rows.values(), ["state", "sending_since"])
    return mine, busy


def _lock(template: str, event: str, refs: Sequence[Ref]) -> dict[UUID, Notification]:
    rows = Notification.objects.filter(template=template, event=event, order_id__in=[ref.id for ref in refs])
    return {row.order_id: row for row in rows.select_for_update().order_by("order_id")}


def _write(template: str, subject: str, refs: Sequence[Ref]) -> dict[UUID, EmailMultiAlternatives]:
    """The mails themselves, in text and HTML. Whom to and what about is asked for here, and kept nowhere else."""
    ids = [ref.id for ref in refs]
    contacts: Mapping[UUID, Contact] = ask(Contact, ids)
    ordered: Mapping[UUID, OrderLines] = ask(OrderLines, ids)
    mails: dict[UUID, EmailMultiAlternatives] = {}
    for ref in refs:
        order = ordered[ref.id]
        context = {
            "number": ref.number,
            "name": contacts[ref.id].name,
            "lines": [(line, show(line.price_minor * line.quantity, order.currency)) for line in order.lines],
            "total": show(order.total_minor, order.currency),
        }
        mail = EmailMultiAlternatives(
            subject.format(number=ref.number),
            render_to_string(f"notifications/{template}.txt", context),
            settings.DEFAULT_FROM_EMAIL,
            [contacts[ref.id].email],
        )
        mail.attach_alternative(render_to_string(f"notifications/{template}.html", context), "text/html")
        mails[ref.id] = mail
    return mails
