"""Inventory's commands."""

from inventory import services
from shop.messaging.commands import command

command(services.reserve_stock)
command(services.release_stock)
command(services.dispatch_stock)
