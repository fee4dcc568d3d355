from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from orders.webhooks.models import WebhookDelivery, WebhookEndpoint  # noqa: F401  (Django looks for models here)
from shop.base.money import show
from shop.messaging.events import Ref
from shop.messaging.ids import uuid7
from shop.messaging.models import AbstractDeadLetter, AbstractInbox, AbstractIncident, AbstractOutbox

FIRST_NUMBER = 100_000


class Outbox(AbstractOutbox):
    class Meta(AbstractOutbox.Meta):
        verbose_name_plural = "outbox"


class Inbox(AbstractInbox):
    pass


class DeadLetter(AbstractDeadLetter):
    pass


class Incident(AbstractIncident):
    pass


class OrderQuerySet(models.QuerySet["Order"]):
    def with_number(self, number: str) -> OrderQuerySet:
        """The order with this display number, such as ``S-100042``; none if it is no such number."""
        digits = number.strip().upper().removeprefix("S-")
        return (
            self.filter(pk=int(digits) - FIRST_NUMBER)
            if digits.isdecimal() and digits.isascii() and len(digits) < 15
            else self.none()
        )


class Order(models.Model):
    """What a customer placed: a snapshot of lines and prices that never changes, and how far it has come.

    Address and payment method may be corrected before the step that needs them (``corrections``).
    """

    class Status(models.TextChoices):
        PLACED = "placed"
        RESERVED = "reserved"
        PAID = "paid"
        SHIPPED = "shipped"
        COMPLETED = "completed"
        CANCELLING = "cancelling"
        CANCELLED = "cancelled"

    uuid = models.UUIDField("id", unique=True, default=uuid7, editable=False)
    customer_id = models.BigIntegerField()  # a user; no foreign key, users may live in another database
    style = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLACED)
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField("total", help_text="In minor units, such as pence.")
    payment_method = models.CharField(max_length=100)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=100)
    line1 = models.CharField("address", max_length=200)
    city = models.CharField(max_length=100)
    postcode = models.CharField(max_length=20)
    country = models.CharField(max_length=2, help_text="ISO 3166.")
    idempotency_key = models.CharField(max_length=100)
    request_digest = models.CharField(max_length=64)
    cancellation_refused = models.BooleanField(default=False)
    heard = models.PositiveSmallIntegerField(  # a bit for each event it waits for side by side: see orders/joining.py
        default=0, db_default=0, editable=False
    )
    placed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["customer_id", "idempotency_key"], name="order_once_per_key"),
            models.CheckConstraint(condition=Q(style__in=settings.STYLES), name="order_style_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["customer_id", "-placed_at", "-id"], name="order_of_customer"),
            # What was placed or has ended lately lies together; such an index costs an order next to nothing, and its
            # update stays within its page.
            BrinIndex(fields=["placed_at", "ended_at"], name="order_times", autosummarize=True),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"S-{FIRST_NUMBER + self.pk}"

    @property
    def ref(self) -> Ref:
        return Ref(id=self.uuid, number=self.number, style=self.style)

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    @property
    def too_late_to_cancel(self) -> bool:
        """As far as orders knows. Of one whose parcels leave just now only shipping does."""
        return self.ended or self.cancellation_refused or self.status == self.Status.SHIPPED

    @property
    def total(self) -> str:
        return show(self.total_minor, self.currency)


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_constraint=False)
    sku = models.CharField("SKU", max_length=40)
    name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    price_minor = models.PositiveBigIntegerField("price", help_text="Of one, in minor units.")

    class Meta:
        ordering = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order", "sku", "price_minor"], name="order_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


BY = "cancelled by "  # with who wanted it, the reason for which an order is undone


class Saga(models.Model):
    """How far an order's process has come, in either direction, and until when it must have come further."""

    class State(models.TextChoices):
        RUNNING = "running"
        PARKED = "parked", "parked: waits for a person"
        NEEDS_ATTENTION = "attention", "needs attention: an undo has failed for good"
        ENDED = "ended"

    WAIT_FOR_A_PERSON = (State.PARKED, State.NEEDS_ATTENTION)

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="saga", db_constraint=False)
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    step = models.CharField("reached", max_length=20)
    undo = models.CharField("undone", max_length=20, blank=True, help_text="Empty: not being undone.")
    attempt = models.PositiveSmallIntegerField(default=0)
    moved_at = models.DateTimeField()
    deadline = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it is being undone.")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["deadline"], condition=Q(state="running"), name="saga_due"),
            models.Index(fields=["order"], condition=Q(state__in=("parked", "attention")), name="saga_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.position} ({self.state})"

    @property
    def position(self) -> str:
        """Where the order stands, forward or being undone: one of those of ``orders/process.py``."""
        return self.undo or self.step


class TimelineEntry(models.Model):
    """One event of one order, whichever service it came from: the answer to "where is it, and why?"."""

    class Kind(models.TextChoices):
        FORWARD = "forward"
        UNDO = "undo"
        TROUBLE = "trouble"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline", db_constraint=False)
    event_id = models.UUIDField(unique=True)
    at = models.DateTimeField()
    service = models.CharField(max_length=20)
    event = models.CharField(max_length=60)
    kind = models.CharField(max_length=7, choices=Kind)
    text = models.CharField(max_length=500)
    # What led to it, and where the time went: see shop/messaging/origins.py
    cause = models.UUIDField(null=True, blank=True)
    task = models.UUIDField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    outside = models.FloatField(null=True, blank=True, help_text="In seconds.")
    request = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # where it began with one

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "timeline"

    def __str__(self) -> str:
        return f"{self.event}: {self.text}"
