"""Every customer was told the truth, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count

from notifications.models import Mail, Notification
from orders.models import Saga
from shop.tools.audit.cases import Case
from shop.tools.audit.findings import Promise, Report, Violation

State = Notification.State
MAY_BE_OUT = (State.SENT, State.UNKNOWN)
CONFIRMATION, CANCELLATION = "confirmation", "cancellation"


def check_order(case: Case) -> Iterator[str]:
    rows = Counter((row.template, row.event) for row in case.mails)
    yield from (
        f"{case.number} has {count} mails {template!r} for one {event}."
        for (template, event), count in rows.items()
        if count > 1
    )
    out = Counter(
        row.template
        for row in {(r.template, r.event): r for r in case.mails if r.state in MAY_BE_OUT}.values()
    )
    if case.completed:
        if out[CONFIRMATION] != 1:
            yield f"{case.number} is completed, but {out[CONFIRMATION]} confirmations were sent."
        if out[CANCELLATION]:
            yield f"{case.number} is completed, but its customer was told that it is cancelled."
    elif case.cancelled:
        told = case.saga is not None and case.saga.state == Saga.State.ENDED
        if out[CANCELLATION] > 1 or (told and not out[CANCELLATION]):
            yield f"{case.number} is cancelled, but {out[CANCELLATION]} cancellation notices were sent."
        if out[CONFIRMATION]:
            yield f"{case.number} is cancelled, but its customer was told that it is on its way."
    for row in case.not_in_mailbox:
        yield f"{case.number} has a {row.template} that counts as sent, but is not in the mailbox."


def check_mailbox(report: Report) -> None:
    """No Message-ID stands twice in the shop's own mailbox."""
    report.checked[Promise.MAILS]["mails in the mailbox"] = Mail.objects.count()
    twice = Mail.objects.order_by().values_list("message_id").annotate(count=Count("pk")).filter(count__gt=1)
    for message_id, count in twice.iterator(chunk_size=1000):
        row = Notification.objects.filter(message_id=message_id).first()
        number = row.number if row else "A mail of no order"
        sentence = f"{number} has a mail that stands {count} times in the mailbox: {message_id}."
        report.violations.append(Violation(Promise.MAILS, sentence))
