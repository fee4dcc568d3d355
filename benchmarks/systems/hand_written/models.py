"""The tables of schema.sql as Django models."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class Table(models.Model):
    """Made by schema.sql."""

    objects: ClassVar[Any] = models.Manager()  # the types of managers are known of the shop's own apps only

    class Meta:
        abstract = True
        app_label = "hand_written"
        managed = False


class Stock(Table):
    sku_id = models.IntegerField(primary_key=True)
    available = models.IntegerField()
    reserved = models.IntegerField(default=0)

    class Meta(Table.Meta):
        db_table = "stock"


class Order(Table):
    id = models.BigAutoField(primary_key=True)
    customer = models.IntegerField()
    total = models.IntegerField()
    status = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "orders"


class OrderLine(Table):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    sku_id = models.IntegerField()
    qty = models.IntegerField()

    class Meta(Table.Meta):
        db_table = "order_line"


class Reservation(Table):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE)
    sku_id = models.IntegerField()
    qty = models.IntegerField()

    class Meta(Table.Meta):
        db_table = "reservation"


class Payment(Table):
    id = models.BigAutoField(primary_key=True)
    order = models.OneToOneField(Order, models.CASCADE)
    amount = models.IntegerField()

    class Meta(Table.Meta):
        db_table = "payment"


class Shipment(Table):
    id = models.BigAutoField(primary_key=True)
    order = models.OneToOneField(Order, models.CASCADE)
    label = models.TextField()

    class Meta(Table.Meta):
        db_table = "shipment"


class Notification(Table):
    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE)
    kind = models.TextField()

    class Meta(Table.Meta):
        db_table = "notification"
