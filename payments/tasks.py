"""Payments' commands, and the seconds in which they are expected to be answered: they ask the provider."""

from orders.lookups import AmountDue
from payments import services
from payments.holding import MethodHolder
from shop.base.holds import holds
from shop.messaging.commands import command

command(services.take_payment, within=30)
command(services.refund_payment, within=30, retries="persistent")
holds(AmountDue, services.take_payment, MethodHolder())
