"""Payments' commands."""

from payments import services
from shop.messaging.commands import command

command("payments.take_payment")(services.take_payment)
command("payments.refund_payment")(services.refund_payment)
