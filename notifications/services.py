"""Notifications' operations. A mail can't be unsent, so its row is marked before it is sent, and never sent twice."""

from __future__ import annotations

import smtplib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from notifications.events import CancellationNoticeSent, ConfirmationSent
from notifications.models import Notification, new_message_id
from orders.events import OrderCancelled
from orders.lookups import Contact, OrderLines
from shipping.events import OrderShipped
from shipping.lookups import Labels
from shop.base.breaker import Breaker
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.base.money import show
from shop.base.tracking import tracking_link
from shop.messaging.events import Event, Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.points import Point, reach
from shop.messaging.recording import recording
from shop.messaging.rows import Row, insert, update

State = Notification.State
SENDING_TAKES_AT_MOST = timedelta(seconds=60)
MAIL_SERVER = Breaker("notifications", "The mail server")
TEMPLATES = Environment(
    loader=PackageLoader("notifications", "mails"),
    autoescape=select_autoescape(["html"]),
    keep_trailing_newline=True,
    undefined=StrictUndefined,
    auto_reload=False,
)


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
    which = {"template": template, "event": about.__name__}
    sends_once = getattr(get_connection(), "sends_once", False)
    mails = _write(template, subject, refs)  # what breaks here breaks before anything is claimed
    claim = _claim(which, refs, sends_once=sends_once)
    problems = _send_out(mails, claim.mine, together=sends_once)
    by_id = {ref.id: ref for ref in refs}
    with recording("notifications") as record:
        for order_id in _settle(which, problems):
            record.publish(told(ref=by_id[order_id]))
        for order_id in _give_up(which, claim.lost):
            record.publish(told(ref=by_id[order_id], certain=False))
    faults: dict[Ref, Exception] = {
        by_id[order_id]: Fault("Another worker is sending this mail.") for order_id in claim.busy
    }
    for order_id, problem in problems.items():
        if problem:
            faults[by_id[order_id]] = _fault(problem)
    return Outcome(done=[ref for ref in refs if ref not in faults], faults=faults)


def _fault(problem: Exception) -> Exception:
    held = problem.args[0] if isinstance(problem, NotSent) else None
    return held if isinstance(held, Fault) else Fault(f"The mail was not taken: {problem}")


class NotSent(Exception):
    """The server said no, or was never reached, as the fault it holds says: the mail may be sent again."""


def _send_out(
    mails: Mapping[UUID, EmailMultiAlternatives], mine: Mapping[UUID, str], *, together: bool
) -> dict[UUID, Exception | None]:
    """Send those that are ours, under their Message-IDs. Returns what became of each, as ``_deliver`` says it.

    Each goes over a connection of its own: one that breaks leaves the fate of no other unknown. ``together``: the backend
    sends a Message-ID once; so all may go at once and, if that breaks, again one by one.
    """
    for order_id, message_id in mine.items():
        mails[order_id].extra_headers["Message-ID"] = message_id
    if together and len(mine) > 1 and _deliver([mails[order_id] for order_id in mine]) is None:
        return dict.fromkeys(mine)
    found: dict[UUID, Exception | None] = {}
    for order_id in mine:
        allowed = MAIL_SERVER.allowed(1)
        found[order_id] = _deliver([mails[order_id]]) if allowed else NotSent(MAIL_SERVER.fault())
    return found


def _deliver(mails: Sequence[EmailMultiAlternatives]) -> Exception | None:
    """Send mails over one connection.

    Returns None (sent), NotSent, or the error that leaves the outcome unknown.
    """
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        return NotSent(
            MAIL_SERVER.in_vain("mail", f"can't be reached ({type(error).__name__})", nobody_there=True)
        )
    MAIL_SERVER.answered()
    try:
        connection.send_messages(mails)
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


@dataclass
class Claim:
    """``mine``: the Message-IDs of the mails that are ours to send, by order. ``busy``: orders whose mail another worker
    has in hand. ``lost``: those whose sender died in the middle, which nobody was told yet."""

    mine: dict[UUID, str]
    busy: set[UUID] = field(default_factory=set)
    lost: set[UUID] = field(default_factory=set)


def _claim(which: Row, refs: Sequence[Ref], *, sends_once: bool) -> Claim:
    """Mark the orders' mails as being sent.

    A mail whose sender died in the middle may be out. Where the backend sends a Message-ID once, it is ours again, as
    long as the backend remembers. Else, when the sender's time is over, its state is unknown for good: a person decides.
    Times are by the database's clock; one that is far ahead was written while that was wrong.
    """
    remembered = timedelta(days=settings.RETENTION["MAILS"])
    sending = {"state": State.SENDING}
    rows = [
        {"order_id": ref.id, "number": ref.number, "message_id": new_message_id(), **which, **sending}
        for ref in sorted(refs, key=lambda ref: ref.id)
    ]
    made = insert(Notification, rows, once=True, now=("sending_since",), returning=("order_id", "message_id"))
    claim = Claim(mine=dict(made))
    known = [ref.id for ref in refs if ref.id not in claim.mine]
    if not known:
        return claim
    with transaction.atomic(using=alias_of("notifications")):
        moved: list[dict[str, object]] = []
        for row in _lock(which, known):
            since, now = row.sending_since, row.now
            lost = since and (
                since < now - remembered if sends_once else abs(now - since) > SENDING_TAKES_AT_MOST
            )
            if row.state == State.PENDING:
                claim.mine[row.order_id] = row.message_id
                moved.append({"order_id": row.order_id, **sending, "sending_since": now})
            elif row.state == State.SENDING and lost:
                claim.lost.add(row.order_id)
                moved.append({"order_id": row.order_id, "state": State.UNKNOWN, "sending_since": since})
            elif row.state == State.SENDING and sends_once:
                claim.mine[row.order_id] = row.message_id
            elif row.state == State.SENDING:
                claim.busy.add(row.order_id)
            elif row.state == State.UNKNOWN and since:
                claim.lost.add(row.order_id)
        update(Notification, moved, only=which)
    return claim


def _settle(which: Row, problems: Mapping[UUID, Exception | None]) -> list[UUID]:
    """Record what became of the mails, where that is known. Returns the orders whose mail is sent, from now on."""
    rows = [
        {"order_id": order_id, "state": State.PENDING if problem else State.SENT}
        for order_id, problem in problems.items()
        if problem is None or isinstance(problem, NotSent)
    ]
    settled = update(
        Notification, rows, only={**which, "state": State.SENDING}, returning=("order_id", "state")
    )
    return [order_id for order_id, state in settled if state == State.SENT]


def _give_up(which: Row, lost: Collection[UUID]) -> list[UUID]:
    """Settle what nobody knows. Returns the orders of which that is still to be told."""
    untold = [row.order_id for row in _lock(which, lost) if row.sending_since]
    update(Notification, [{"order_id": order_id, "sending_since": None} for order_id in untold], only=which)
    return untold


def _lock(which: Row, order_ids: Collection[UUID]) -> Sequence[Any]:
    """The orders' mails that were there before, locked, in one fixed order; with ``now``."""
    if not order_ids:
        return ()
    rows = Notification.objects.filter(order_id__in=order_ids, **which).annotate(now=Now())
    return list(rows.select_for_update().order_by("order_id"))


def _write(template: str, subject: str, refs: Sequence[Ref]) -> dict[UUID, EmailMultiAlternatives]:
    """The mails themselves, in text and HTML. Whom to and what about is asked for here, and kept nowhere else."""
    ids = [ref.id for ref in refs]
    contacts: Mapping[UUID, Contact] = ask(Contact, ids)
    ordered: Mapping[UUID, OrderLines] = ask(OrderLines, ids)
    shipped: Mapping[UUID, Labels] = ask(Labels, ids) if template == "confirmation" else {}
    text, html = TEMPLATES.get_template(f"{template}.txt"), TEMPLATES.get_template(f"{template}.html")
    mails: dict[UUID, EmailMultiAlternatives] = {}
    for ref in refs:
        order = ordered[ref.id]
        context = {
            "number": ref.number,
            "name": contacts[ref.id].name,
            "lines": [(line, show(line.price_minor * line.quantity, order.currency)) for line in order.lines],
            "total": show(order.total_minor, order.currency),
            "tracking": list(shipped[ref.id].tracking.values()) if ref.id in shipped else [],
            "link": tracking_link(ref.id),
        }
        mail = EmailMultiAlternatives(
            subject.format(number=ref.number),
            text.render(context),
            settings.DEFAULT_FROM_EMAIL,
            [contacts[ref.id].email],
        )
        mail.attach_alternative(html.render(context), "text/html")
        mails[ref.id] = mail
    return mails
