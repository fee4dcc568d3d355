"""A customer is forgotten: what tells who it was goes, what the books need stays."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User

from orders.models import Order
from shop.base import people
from shop.tools.customers.accounts import erase_account, note
from shop.tools.customers.whom import Customer

logger = logging.getLogger(__name__)

ACT = "Erased what was known of the customer."


def erase(customer: Customer) -> None:
    """Replace what is held of the customer by nothing, but for orders on their way. Again is no harm.

    An account goes with the last of its orders: last of all, so that who was interrupted finds it by its name. What was
    done is written down, by ids alone.
    """
    accounts, orders = customer.to_close, customer.to_forget
    forget(orders)
    for account in accounts:
        erase_account(account)
    ids = [account.pk for account in accounts]
    people.forget_accounts(ids)
    note(User, ids, [f"erased-{id}" for id in ids], ACT)
    logger.info("Erased what was known of %d orders, and of the accounts %s.", len(orders), ids)


def forget(orders: list[Order]) -> None:
    """Forget whom these orders were for, which are at their ends, and say so on the page of each."""
    people.forget([order.uuid for order in orders])
    note(Order, [order.pk for order in orders], [order.number for order in orders], ACT)
