"""Who is meant: the accounts and the orders of a customer, who may have been a guest."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q

from orders.models import Order, Saga
from shop.tools.customers.accounts import is_erased, is_guest


class Nobody(LookupError):
    """There is no such customer, as a sentence says."""


@dataclass(frozen=True)
class Customer:
    accounts: list[User]
    orders: list[Order]

    @property
    def on_their_way(self) -> list[Order]:
        """What is still needed: to deliver, to refund, to tell."""
        return [order for order in self.orders if order.saga.state != Saga.State.ENDED]

    @property
    def to_forget(self) -> list[Order]:
        """What is at its end, and still says whom it was for."""
        return [order for order in self.orders if order.saga.state == Saga.State.ENDED and order.email]

    @property
    def to_close(self) -> list[User]:
        """The accounts that may go: their last order is at its end."""
        return [] if self.on_their_way else [one for one in self.accounts if not is_erased(one)]


def find(*, user: str = "", email: str = "", order: str = "") -> Customer:
    """By the account's name; by a mail address, of accounts and of orders; or by the number of a guest's order.

    Raises:
        Nobody: nothing is known of such a one, or it is no customer.
    """
    if user:
        return _of_user(user)
    return _of_email(email) if email else _of_order(order)


def _of_user(name: str) -> Customer:
    account = User.objects.filter(username=name).first()
    if account is None:
        raise Nobody(f"There is no user {name!r}.")
    _no_staff([account])
    return _customer([account], Q(customer_id=account.pk))


def _of_email(email: str) -> Customer:
    """An order may have gone to another address than its account's: then it is meant, and the account is not."""
    accounts = list(User.objects.filter(email__iexact=email).order_by("pk"))
    buyers = Order.objects.filter(email__iexact=email).order_by().values_list("customer_id", flat=True)
    guests = [account for account in User.objects.filter(pk__in=set(buyers)) if is_guest(account)]
    _no_staff(accounts)
    mine = {account.pk for account in (*accounts, *guests)}
    found = _customer([*accounts, *guests], Q(email__iexact=email) | Q(customer_id__in=mine))
    if not found.accounts and not found.orders:
        raise Nobody(f"Nothing is kept of anybody with the mail address {email!r}.")
    return found


def _of_order(number: str) -> Customer:
    """All that the same guest has bought; of somebody with an account, only this order."""
    order = Order.objects.with_number(number).first()
    if order is None:
        raise Nobody(f"There is no order {number!r}.")
    account = User.objects.filter(pk=order.customer_id).first()
    if account and not is_guest(account):
        return _customer([], Q(pk=order.pk))
    return _customer([account] if account else [], Q(customer_id=order.customer_id))


def _customer(accounts: list[User], theirs: Q) -> Customer:
    return Customer(accounts, list(Order.objects.filter(theirs).select_related("saga").order_by("pk")))


def _no_staff(accounts: list[User]) -> None:
    for account in accounts:
        if account.is_staff or account.is_superuser:
            raise Nobody(
                f"{account} is staff, and what staff did stays known: first take the role away, in the admin."
            )
