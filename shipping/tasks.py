"""Shipping's commands."""

from shipping import services
from shop.messaging.commands import command

command(services.create_labels)
command(services.hand_over, retries="persistent")
command(services.stop_shipping, retries="persistent")
