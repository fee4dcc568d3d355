from __future__ import annotations

from typing import ClassVar

from django.db import models

from shop.messaging.ids import uuid7
from shop.messaging.models import (
    AbstractDeadLetter,
    AbstractInbox,
    AbstractIncident,
    AbstractOutage,
    AbstractOutbox,
)


class Outbox(AbstractOutbox):
    class Meta(AbstractOutbox.Meta):
        verbose_name_plural = "outbox"


class Inbox(AbstractInbox):
    pass


class DeadLetter(AbstractDeadLetter):
    pass


class Incident(AbstractIncident):
    pass


class Outage(AbstractOutage):
    pass


def new_message_id() -> str:
    return f"<{uuid7().hex}@shop>"


class Notification(models.Model):
    """One mail to a customer: one row per (order, template, event), stored with its Message-ID before it is sent."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        UNKNOWN = "unknown", "unknown: the process died while sending"

    order_id = models.UUIDField()
    number = models.CharField("order", max_length=32)
    template = models.CharField(max_length=40)
    event = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    message_id = models.CharField(max_length=80, default=new_message_id)
    sending_since = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order_id", "template", "event"], name="notification_once")
        ]

    def __str__(self) -> str:
        return f"{self.template} for {self.number}"


class Mail(models.Model):
    """A mail in the shop's own mailbox: where mails go in the embedded run, to be read in the admin."""

    message_id = models.CharField(max_length=80)
    to = models.CharField(max_length=320)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["message_id"], name="mail_once")
        ]

    def __str__(self) -> str:
        return self.subject
