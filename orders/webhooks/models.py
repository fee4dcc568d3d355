"""Where customers want to be told of their orders' changes, and each message to each of these places."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from shop.messaging.ids import uuid7

LONGEST_URL = 500
LONGEST_KIND = 40


class WebhookEndpoint(models.Model):
    """An address of a customer's. ``failures``: how often in a row nobody was there; then it is left alone for a while.

    The secret stands here as it is: messages are signed with it. It is shown to nobody but once to who registers it.
    ``old_secrets``: those before it, the newest first, each with the time ``until`` which it signs, too.
    """

    class State(models.TextChoices):
        ON = "on"
        PAUSED = "paused", "paused by staff"
        DISABLED = "disabled", "disabled: it did not answer"

    uuid = models.UUIDField("id", unique=True, default=uuid7, editable=False)
    customer_id = models.BigIntegerField()  # a user; no foreign key, users may live in another database
    url = models.CharField("URL", max_length=LONGEST_URL)
    kinds = ArrayField(models.CharField(max_length=LONGEST_KIND), default=list, blank=True)  # empty: all
    secret = models.CharField(max_length=80)
    old_secrets = models.JSONField(default=list, blank=True, db_default=[])
    state = models.CharField(max_length=8, choices=State, default=State.ON)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is not told anything.")
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    resting_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["customer_id"], name="webhook_of_customer"),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One message to one endpoint: written with the change it tells of, and sent until it is taken or given up."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"  # until `due_at`: then whoever sent it is dead, and it is sent again
        DELIVERED = "delivered"
        FAILED = "failed", "failed: given up"

    PENDING = (State.WAITING, State.SENDING)

    uuid = models.UUIDField("id", unique=True)  # receivers know a repetition by it
    # No check: an endpoint may be deleted while orders are noted, and nothing is sent to one that is not there.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=LONGEST_KIND)
    order_id = models.UUIDField(null=True, blank=True)  # none: of a test
    number = models.CharField("order", max_length=32, blank=True)
    status = models.CharField("order's status", max_length=10, blank=True)
    sequence = models.PositiveIntegerField(help_text="Of this order's messages to this endpoint.")
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    trouble = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order_id", "endpoint", "kind"], name="webhook_told_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(state__in=("waiting", "sending")),
                name="webhook_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_of_endpoint"),
            models.Index(fields=["-id"], condition=Q(state="failed"), name="webhook_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.number}" if self.number else self.kind

    def next_at(self) -> datetime | None:
        """When it is sent next: not before its endpoint has rested. None: that is not known, or it is not sent again."""
        endpoint = self.endpoint
        if self.state != self.State.WAITING or endpoint.state != endpoint.State.ON:
            return None
        return max(filter(None, (self.due_at, endpoint.resting_until)), default=None)

    @property
    def message_id(self) -> str:
        """The same in each attempt."""
        return f"msg_{self.uuid.hex}"
