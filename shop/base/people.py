"""What the shop holds of people. Each app says it of its own tables, in its ``people.py``: so it is exported, and erased.

A column of text, JSON or bytes that no app has spoken of makes a test fail (``shop/tools/customers/tests``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import QuerySet

from shop.messaging.tables import database_of

AT_ONCE = 200  # orders that are forgotten in one transaction of an app

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Holding:
    """What a table holds of people.

    ``erased``: what stands in a column, by its name, once nobody is to be known by it: a value, or an expression.
    ``plain``: columns that can hold nothing of a person, or only ids. ``of_orders``: the rows of some orders, by the
    orders' ids; ``of_customers``: of some accounts, by theirs; neither: they are no customer's. ``secret``: columns that
    open something, and are in no export.
    """

    model: type[models.Model]
    erased: Mapping[str, Any] = field(default_factory=dict)
    plain: Collection[str] = ()
    of_orders: Callable[[Collection[UUID]], QuerySet[Any]] | None = None
    of_customers: Callable[[Collection[int]], QuerySet[Any]] | None = None
    secret: Collection[str] = ()

    def shown(self, rows: QuerySet[Any]) -> list[dict[str, Any]]:
        """For an export."""
        named = [
            column.attname for column in self.model._meta.concrete_fields if column.name not in self.secret
        ]
        return list(rows.order_by("pk").values(*named))

    def forget(self, rows: QuerySet[Any]) -> None:
        if self.erased:
            with transaction.atomic(using=database_of(self.model)):
                rows.order_by().update(**self.erased)


_holdings: dict[type[models.Model], Holding] = {}


def holds_of_people(
    model: type[models.Model],
    *,
    by: str | Callable[[Collection[UUID]], QuerySet[Any]] = "",
    by_customer: str = "",
    erased: Mapping[str, Any] | None = None,
    plain: Collection[str] = (),
    secret: Collection[str] = (),
) -> None:
    """Say it of a model. ``by``: the look-up that finds its rows by orders' ids, or a function that does;
    ``by_customer``: the one that finds them by accounts' ids, where they are of no order.
    """
    of_orders = _found_by(model, by) if isinstance(by, str) else by
    of_customers = _found_by(model, by_customer)
    _holdings[model] = Holding(model, erased or {}, plain, of_orders, of_customers, secret)


def _found_by(model: type[models.Model], by: str) -> Callable[[Collection[Any]], QuerySet[Any]] | None:
    return (lambda ids: model._default_manager.filter(**{f"{by}__in": ids})) if by else None


def holds_only_ids(*tables: type[models.Model]) -> None:
    """Say it of tables of messages: what is in an event, a command or an error is no personal data, but which
    order it is about (``shop.messaging.events``, ``discretion``). None of it is erased: it goes when it is old.
    """
    for model in tables:
        named = {column.name for column in model._meta.concrete_fields}
        by = "order_id" if "order_id" in named else ""
        holds_of_people(model, by=by, plain=[column.name for column in text_columns(model)])


def holdings() -> list[Holding]:
    """In the sequence of the services, so that what an app finds by what another still has is found."""
    services = [*settings.SERVICES]
    return sorted(
        _holdings.values(),
        key=lambda held: (
            services.index(held.model._meta.app_label)
            if held.model._meta.app_label in services
            else len(services)
        ),
    )


def text_columns(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    """Those that could hold something of a person."""
    kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField)
    addresses = (models.GenericIPAddressField,)
    for column in model._meta.concrete_fields:
        if isinstance(column, (*kinds, *addresses)):
            yield column


def forget(order_ids: Collection[UUID]) -> None:
    """Have every app replace what it holds of the people behind these orders by nothing. Again is no harm.

    Numbers, sums, states and times stay.
    """
    ids = sorted(order_ids)
    for start in range(0, len(ids), AT_ONCE):
        for held in holdings():
            if held.of_orders:
                held.forget(held.of_orders(ids[start : start + AT_ONCE]))


def forget_accounts(ids: Collection[int]) -> None:
    """The same of what hangs on these accounts, and on no order."""
    for held in holdings():
        if held.of_customers:
            held.forget(held.of_customers(ids))
