"""All that the shop holds of a customer, for the customer."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from shop.base.people import holdings
from shop.tools.customers import accounts
from shop.tools.customers.outside import held_outside
from shop.tools.customers.whom import Customer


def export(customer: Customer) -> dict[str, Any]:
    """What each app holds, row by row; to be written as JSON."""
    ids = [order.uuid for order in customer.orders]
    held: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for holding in holdings():
        found: list[Any] = []
        if holding.of_orders:
            found += holding.shown(holding.of_orders(ids))
        if holding.of_customers:
            found += holding.shown(holding.of_customers([account.pk for account in customer.accounts]))
        if found:
            meta = holding.model._meta
            held.setdefault(meta.app_label, {})[str(meta.verbose_name_plural)] = found
    return {
        "made_at": timezone.now(),
        "accounts": [accounts.told(account) for account in customer.accounts],
        "orders": [order.number for order in customer.orders],
        "held": held,
        "held_by_others": held_outside(ids),
    }
