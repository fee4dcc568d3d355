"""The tables every app makes its own: outbox, inbox, and the row it keeps per order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from shop.messaging.events import Ref


class AbstractOutbox(models.Model):
    """Events this app has published. Written in the transaction of the change they tell of.

    A row is not done when it is sent; it is done (``confirmed_at``) when every subscriber's inbox has it.
    Until then the relay sends it again at ``due_at``.
    """

    event_id = models.UUIDField(unique=True, editable=False)
    type = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    order_id = models.UUIDField(db_index=True)
    number = models.CharField("order", max_length=32)
    style = models.CharField(max_length=20)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    sends = models.PositiveSmallIntegerField(default=0, db_default=0)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]
        verbose_name = "outbox event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(confirmed_at=None), name="%(app_label)s_outbox_due")
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
    order_id = models.UUIDField(db_index=True)
    number = models.CharField("order", max_length=32)
    state = models.CharField(max_length=8, choices=State, default=State.DONE)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
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
            models.Index(fields=["due_at"], condition=Q(state="failing"), name="%(app_label)s_inbox_due")
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.number} to {self.receiver}"


class PerOrder(models.Model):
    """What a service knows of one order: the row its operations lock, and the tombstone an early undo leaves."""

    NEW: ClassVar[str] = "new"  # touched for the first time, in this very transaction

    order_id = models.UUIDField(primary_key=True)
    number = models.CharField("order", max_length=32)
    state = models.CharField(max_length=12, default=NEW)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number

    @classmethod
    def claim(cls, refs: Iterable[Ref], **defaults: Any) -> dict[UUID, Self]:
        """Lock the orders' rows, in one fixed order, making a row in state ``new`` where there is none.

        Must run inside a transaction, which must move every ``new`` row on: that makes an operation idempotent per
        order, whoever sends it, however often and in whatever order.
        """
        by_id = {ref.id: ref for ref in refs}
        manager = cls._default_manager
        manager.bulk_create(
            [cls(order_id=id, number=by_id[id].number, **defaults) for id in sorted(by_id)],
            ignore_conflicts=True,
        )
        return {row.pk: row for row in manager.select_for_update().filter(pk__in=by_id).order_by("pk")}
