from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from shop.base.per_order import PerOrder
from shop.messaging.models import AbstractDeadLetter, AbstractInbox, AbstractIncident, AbstractOutbox


class Outbox(AbstractOutbox):
    class Meta(AbstractOutbox.Meta):
        verbose_name_plural = "outbox"


class Inbox(AbstractInbox):
    pass


class DeadLetter(AbstractDeadLetter):
    pass


class Incident(AbstractIncident):
    pass


class Product(models.Model):
    sku = models.CharField("SKU", max_length=40, unique=True)
    name = models.CharField(max_length=200)
    price_minor = models.PositiveBigIntegerField("price", help_text="In minor units, such as pence.")
    currency = models.CharField(max_length=3, default="GBP", help_text="ISO 4217.")
    on_sale = models.BooleanField(default=True)

    class Meta:
        ordering = ["sku"]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Warehouse(models.Model):
    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Stock(models.Model):
    """Units of a product in a warehouse. Free to sell: ``on_hand - reserved``."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="stock")
    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="stock")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["product", "warehouse"]
        verbose_name_plural = "stock"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["product", "warehouse"], name="stock_once"),
            models.CheckConstraint(condition=Q(reserved__lte=F("on_hand")), name="stock_never_oversold"),
        ]

    def __str__(self) -> str:
        return f"{self.product.sku} in {self.warehouse.code}"

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved


class Receipt(models.Model):
    """Units that came in. With the departures in the reservation lines it explains every unit on hand."""

    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="receipts")
    quantity = models.PositiveIntegerField()
    note = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.stock}"


class Reservation(PerOrder):
    """What inventory did for an order. ``released`` is also the tombstone of an undo that came first."""

    class State(models.TextChoices):
        RESERVED = "reserved", "set aside"
        REJECTED = "rejected", "refused"
        RELEASED = "released", "free again"
        DEPARTED = "departed", "left the warehouse"

    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-updated_at"]


class ReservationLine(models.Model):
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="lines", db_constraint=False, db_index=False
    )
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservation_lines")
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["reservation", "stock"], name="reservation_line_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_line_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.stock}"
