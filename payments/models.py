from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

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


class Payment(PerOrder):
    """The intent to charge for an order, stored with its keys before the provider is called.

    ``void`` is the tombstone of an undo that came before any charge. ``held``: nothing may begin, as the payment method
    is being corrected (``holding``).
    """

    class State(models.TextChoices):
        PENDING = "pending", "being taken"
        CHARGED = "charged", "taken"
        FAILED = "failed", "refused"
        REFUNDING = "refunding", "being given back"
        REFUNDED = "refunded", "given back"
        VOID = "void", "never taken"
        HELD = "held", "held back"

    amount_minor = models.PositiveBigIntegerField(
        "amount", default=0, help_text="In minor units, such as pence."
    )
    currency = models.CharField(max_length=3, blank=True)
    method = models.CharField(max_length=100, blank=True)
    charge_key = models.CharField(max_length=32, default=new_key)
    refund_key = models.CharField(max_length=32, default=new_key)
    reference = models.CharField("provider's reference", max_length=100, blank=True)
    refunded_minor = models.PositiveBigIntegerField("refunded", default=0)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-updated_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["charge_key"], name="payment_charge_key_once"),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=models.F("amount_minor")), name="payment_refund_within_charge"
            ),
        ]
