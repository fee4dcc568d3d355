"""What notifications holds of people: the mails in the shop's own mailbox. What SMTP took is not kept."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from notifications.models import DeadLetter, Inbox, Incident, Mail, Notification, Outage, Outbox
from shop.base.people import holds_of_people, holds_only_ids


def mails(order_ids: Collection[UUID]) -> QuerySet[Mail]:
    sent = Notification.objects.filter(order_id__in=order_ids).order_by()
    return Mail.objects.filter(message_id__in=sent.values("message_id"))


holds_of_people(Notification, by="order_id", plain=("number", "template", "event", "state", "message_id"))
holds_of_people(Mail, by=mails, erased={"to": "", "text": "", "html": ""}, plain=("message_id", "subject"))
holds_only_ids(Outbox, Inbox, DeadLetter, Incident, Outage)
