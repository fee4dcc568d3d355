"""Shipping's commands."""

from shipping import services
from shop.messaging.commands import command

command(services.plan_parcels)
command(services.create_label)
command(services.hand_over, retries="persistent")
command(services.stop_shipping, retries="persistent")
