"""A number is shown with the list behind it: where that is, as a query, until it is known who looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest

from orders.models import Saga
from shop.base.admin.links import list_of, may_view

OPEN = ",".join((Saga.State.RUNNING, *Saga.WAIT_FOR_A_PERSON))  # not at their end


@dataclass(frozen=True)
class List:
    """A list of the admin, filtered."""

    app: str
    model: str
    query: Mapping[str, str] = field(default_factory=dict)

    def seen_by(self, request: HttpRequest) -> str:
        """Its address; nothing where this person may not look."""
        return list_of(self.app, self.model, **self.query) if may_view(request, self.app, self.model) else ""


def orders(**query: str) -> List:
    return List("orders", "order", query)


def in_flight(**query: str) -> List:
    return orders(saga__state__in=OPEN, **query)


def ended(status: str, since: datetime, until: datetime, **query: str) -> List:
    return orders(status__exact=status, **between("ended_at", since, until), **query)


def between(column: str, since: datetime, until: datetime) -> dict[str, str]:
    return {f"{column}__gte": since.isoformat(), f"{column}__lt": until.isoformat()}
