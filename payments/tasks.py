"""Payments' commands."""

from payments import services
from shop.messaging.commands import command

command(services.take_payment)
command(services.refund_payment, retries="persistent")
