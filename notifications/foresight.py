"""What notifications can say before it acts: whether a mail would go out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from notifications import services
from notifications.models import Notification
from shop.base.effects import Effects, foresees

State = Notification.State


@foresees(services.send_confirmation)
def confirmations(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    return _mails("confirmation", "that the order is on its way", order_ids)


@foresees(services.send_cancellation_notice)
def notices(order_ids: Collection[UUID]) -> Mapping[UUID, Effects]:
    return _mails("cancellation", "that the order is cancelled", order_ids)


def _mails(template: str, what: str, order_ids: Collection[UUID]) -> dict[UUID, Effects]:
    rows = Notification.objects.filter(order_id__in=order_ids, template=template)
    known = {row.order_id: row for row in rows}
    return {order_id: _mail(known.get(order_id), what) for order_id in order_ids}


def _mail(row: Notification | None, what: str) -> Effects:
    goes_out = (f"A mail to the customer, {what}.",)
    if row is None or row.state == State.PENDING:
        return Effects(outside=goes_out)
    at = f"{row.updated_at:%d %B, %H:%M:%S} UTC"
    if row.state == State.SENT:
        return Effects((f"The mail {what} was sent at {at}: it is not sent again.",))
    if row.state == State.UNKNOWN:
        return Effects(
            (f"The mail {what} may be out or not: its sender died at {at}. It is not sent again.",)
        )
    again = "It is sent under the same Message-ID, which goes out once, where the mail server can tell."
    return Effects((f"The mail {what} is being sent since {at}.",), (again,))
