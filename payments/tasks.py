"""Payments' commands, and the seconds in which they are expected to be answered: they ask the provider."""

from payments import services
from shop.messaging.commands import command

command(services.take_payment, within=30)
command(services.refund_payment, within=30, retries="persistent")
