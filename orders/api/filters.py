"""What the list of orders is filtered by."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django_filters.rest_framework import ChoiceFilter, FilterSet, IsoDateTimeFilter

from orders.models import Order

# At the ends of what Python and PostgreSQL can count, a time zone leads past them.
TIMES = [
    MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC)),
    MaxValueValidator(datetime(9000, 1, 1, tzinfo=UTC)),
]
Time = partial(IsoDateTimeFilter, "placed_at", validators=TIMES)


class OrderFilter(FilterSet):  # type: ignore[misc]  # the library is untyped
    status = ChoiceFilter(choices=Order.Status.choices)
    style = ChoiceFilter(choices=[(style, style) for style in settings.STYLES])
    placed_at_after = Time("gte", label="Placed at this time (ISO 8601) or later.")
    placed_at_before = Time("lt", label="Placed before this time (ISO 8601).")
