"""A customer is forgotten: what tells who it was goes, what the books need stays."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from django.contrib.auth.models import User

from orders.models import Order
from shop.base import people
from shop.tools.customers.accounts import erase_account, note
from shop.tools.customers.whom import Customer

logger = logging.getLogger(__name__)

ACT = "Erased what was known of the customer."


@dataclass(frozen=True)
class Erased:
    """``rows``: how many of which table were written. ``accounts``: their ids."""

    rows: Counter[str]
    accounts: list[int]


def erase(customer: Customer) -> Erased:
    """Replace what is held of the customer by nothing, but for orders on their way. Again is no harm.

    An account goes with the last of its orders. What was done is written down, by ids alone.
    """
    gone, orders = customer.to_close, customer.to_forget
    for account in gone:
        erase_account(account)
    note(User, [one.pk for one in gone], [f"erased-{one.pk}" for one in gone], ACT)
    ids = [account.pk for account in gone]
    rows = forget(orders) + people.forget_accounts(ids)
    logger.info("Erased customers %s, orders %s.", ids, [order.number for order in orders])
    return Erased(rows, ids)


def forget(orders: list[Order]) -> Counter[str]:
    """Of these orders, which are at their ends, and say so on the page of each."""
    rows = people.forget([order.uuid for order in orders])
    note(Order, [order.pk for order in orders], [order.number for order in orders], ACT)
    return rows
