"""The tables every app makes its own: outbox and inbox, and what stands out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class AbstractOutbox(models.Model):
    """Events this app has published. Written in the transaction of the change they tell of, and then left alone.

    A row is not done when it is sent; it is done when every subscriber's inbox has it: a position beside the table
    says up to which id that is so (``confirming``). ``due_at`` is set where a relay has to send it, or send it again.
    """

    event_id = models.UUIDField(editable=False)
    type = models.CharField(max_length=60)
    order_id = models.UUIDField(db_index=True)
    number = models.CharField("order", max_length=32)
    style = models.CharField(max_length=20)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, blank=True)
    claims = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often a relay took it up

    class Meta:
        abstract = True
        ordering = ["-id"]
        verbose_name = "outbox event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at"], condition=Q(due_at__isnull=False), name="%(app_label)s_outbox_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.number}"


class AbstractInbox(models.Model):
    """What this app's receivers have handled: one row per (event, receiver).

    ``failing`` rows keep the message and are tried again at ``due_at``; ``parked`` ones wait for a person.
    """

    class State(models.TextChoices):
        DONE = "done"
        FAILING = "failing"
        PARKED = "parked"

    event_id = models.UUIDField()
    receiver = models.CharField(max_length=100)
    type = models.CharField(max_length=60)
    order_id = models.UUIDField()
    number = models.CharField("order", max_length=32)
    state = models.CharField(max_length=8, choices=State, default=State.DONE)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    claims = models.PositiveSmallIntegerField(
        default=0, db_default=0
    )  # how often a relay has sent it since the last attempt
    due_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="", db_default="")
    payload = models.JSONField(null=True, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        ordering = ["-id"]
        verbose_name = "inbox event"
        verbose_name_plural = "inbox"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "receiver"], name="%(app_label)s_inbox_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(state="failing"), name="%(app_label)s_inbox_due"),
            models.Index(fields=["order_id"], condition=~Q(state="done"), name="%(app_label)s_inbox_open"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.number} to {self.receiver}"


class AbstractOutage(models.Model):
    """An outside provider of this app that is away; when it is back, the row goes."""

    provider = models.CharField(max_length=60, primary_key=True)
    since = models.DateTimeField()
    probe_at = models.DateTimeField()  # when somebody may try it again
    error = models.CharField(max_length=300)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.provider} has been down since {self.since:%H:%M:%S} UTC on {self.since.day} {self.since:%B}"


class AbstractDeadLetter(models.Model):
    """A message in this service's queue that nothing could be made of. Equal ones are one row."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    task = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300)
    message = models.TextField(help_text="As it came: headers and body.")
    is_whole = models.BooleanField("kept whole", default=True)
    times = models.PositiveIntegerField("came", default=1)
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        ordering = ["-last_at"]
        verbose_name = "dead letter"

    def __str__(self) -> str:
        return f"{self.task or 'a message'}: {self.reason}"


class AbstractIncident(models.Model):
    """A silent edge: what this app has published or commanded, and who has not reacted to it in time (``incidents``)."""

    event_id = models.UUIDField()
    receiver = models.CharField("has not reacted", max_length=100)
    type = models.CharField("to", max_length=60)
    style = models.CharField(max_length=20)
    order_id = models.UUIDField(db_index=True)
    number = models.CharField("order", max_length=32)
    since = models.DateTimeField()
    within = models.FloatField("expected within", help_text="In seconds.")
    commanded = models.BooleanField(default=False)  # it is no receiver of the event, but was called after it
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField("reacted at", null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "receiver"], name="%(app_label)s_incident_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["id"], condition=Q(closed_at__isnull=True), name="%(app_label)s_incident_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.receiver}: no reaction to {self.type} of {self.number}"
