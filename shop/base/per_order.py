"""The row a service keeps of each order: what makes its operations idempotent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self
from uuid import UUID

from django.db import models

from shop.messaging.events import Ref


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
    def claim(cls, refs: Iterable[Ref]) -> dict[UUID, Self]:
        """Lock the orders' rows, in one fixed order, making a row in state ``new`` where there is none.

        Must run inside a transaction, which must move every ``new`` row on: that makes an operation idempotent per
        order, whoever sends it, however often and in whatever order.
        """
        by_id = {ref.id: ref for ref in refs}
        manager = cls._default_manager
        manager.bulk_create(
            [cls(order_id=id, number=by_id[id].number) for id in sorted(by_id)],
            ignore_conflicts=True,
        )
        return {row.pk: row for row in manager.select_for_update().filter(pk__in=by_id).order_by("pk")}
