"""What the list of orders is filtered by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet, IsoDateTimeFilter

from orders.models import Order
from shop.base.api.fields import Fits
from shop.base.api.openapi import published

# At the ends of what Python and PostgreSQL can count, a time zone leads past them. Each year of YEARS is taken whole,
# wherever one is.
OUTSIDE = "A time from the years 1970 to 8999."
TIMES = [
    MinValueValidator(datetime(1969, 12, 30, tzinfo=UTC), OUTSIDE),
    MaxValueValidator(datetime(9000, 1, 3, tzinfo=UTC), OUTSIDE),
]
NO_TIME = (
    "A time such as 2026-11-05T10:15:00Z; in an address a + is written as %%2B."  # the library fills it in
)
YEARS = "^(19[7-9][0-9]|[2-8][0-9]{3})-"
NUMBER = "^S-[1-9][0-9]{5,13}$"


class Moment(IsoDateTimeFilter):  # type: ignore[misc]  # the library is untyped
    """Asked of the database in UTC: of the zones of RFC 3339 PostgreSQL knows those up to 16 hours away."""

    def filter(self, orders: QuerySet[Order], moment: datetime | None) -> Any:
        return super().filter(orders, moment and moment.astimezone(UTC))


def time(field: str, lookup: str, told: str) -> Moment:
    there = Moment(field, lookup, validators=TIMES, error_messages={"invalid": NO_TIME})
    found: Moment = published(
        there, f"{told} ISO 8601; without a zone it is UTC.", format="date-time", pattern=YEARS
    )
    return found


class OrderFilter(FilterSet):  # type: ignore[misc]  # the library is untyped
    number = published(
        CharFilter(
            method="with_number", strip=False, validators=[Fits(NUMBER, "A number such as S-100042.")]
        ),
        "The one with this number, such as `S-100042`.",
        pattern=NUMBER,
    )
    status = ChoiceFilter(choices=Order.Status.choices, label="As it stands now.")
    style = ChoiceFilter(
        choices=[(style, style) for style in settings.STYLES], label="Decided when it was placed."
    )
    placed_at_after = time("placed_at", "gte", "Placed at this time or later.")
    placed_at_before = time("placed_at", "lt", "Placed before this time.")
    ended_at_after = time("ended_at", "gte", "Completed or cancelled at this time or later.")
    ended_at_before = time("ended_at", "lt", "Completed or cancelled before this time.")

    def with_number(self, orders: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        return orders.filter(pk__in=Order.objects.with_number(value).values("pk"))
