"""Shipping's commands, and the seconds in which they are expected to be answered: they ask the carrier."""

from orders.lookups import DeliveryAddress
from shipping import services
from shipping.holding import AddressHolder
from shop.base.holds import holds
from shop.messaging.commands import command

command(services.create_labels, within=30)
command(services.hand_over, within=30, retries="persistent")
command(services.stop_shipping, within=30, retries="persistent")
holds(DeliveryAddress, services.create_labels, AddressHolder())
