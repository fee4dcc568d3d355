from __future__ import annotations

from typing import ClassVar

from django.db import models

from shop.base.per_order import PerOrder
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


def new_key() -> str:
    return uuid7().hex


class Shipment(PerOrder):
    """All parcels of an order. Its row is the lock under which the pivot is decided.

    ``labelled``: all parcels are. ``handing_over`` is past the pivot; ``stopped`` is also the tombstone of an undo that
    came first. ``held``: no label may be made, as the address is being corrected (``holding``).
    """

    class State(models.TextChoices):
        PLANNED = "planned", "being labelled"
        LABELLED = "labelled", "labelled"
        HANDING_OVER = "handing_over", "being handed over"
        HANDED_OVER = "handed_over", "handed over"
        FAILING = "failing", "being refused"
        FAILED = "failed", "refused"
        STOPPING = "stopping", "being stopped"
        STOPPED = "stopped", "stopped"
        HELD = "held", "held back"

    reason = models.CharField(max_length=300, blank=True)
    refused_cancellation = models.BooleanField(default=False)

    class Meta:
        ordering = ["-updated_at"]


class Parcel(models.Model):
    """What leaves from one warehouse for one order. Its key is stored before the carrier is called."""

    class State(models.TextChoices):
        PLANNED = "planned"
        LABELLED = "labelled"
        HANDED_OVER = "handed_over", "handed over"
        VOID = "void"

    shipment = models.ForeignKey(
        Shipment, on_delete=models.PROTECT, related_name="parcels", db_constraint=False, db_index=False
    )
    warehouse = models.CharField(max_length=20)
    key = models.CharField(max_length=32, default=new_key)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    tracking = models.CharField(max_length=60, blank=True)
    withdrawn = (
        models.TextField(  # apart by spaces: a label asked for under one of them may bear an old address
            "withdrawn keys", blank=True, default="", db_default="", editable=False
        )
    )

    class Meta:
        ordering = ["shipment", "warehouse"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["shipment", "warehouse"], name="parcel_once_per_warehouse"),
            models.UniqueConstraint(fields=["key"], name="parcel_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.shipment.number} from {self.warehouse}"
