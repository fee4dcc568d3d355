"""Shipping's commands."""

from shipping import services
from shop.messaging.commands import command

command("shipping.plan_parcels")(services.plan_parcels)
command("shipping.create_label")(services.create_label)
command("shipping.hand_over")(services.hand_over)
command("shipping.stop_shipping")(services.stop_shipping)
