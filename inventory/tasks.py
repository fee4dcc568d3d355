"""Inventory's commands."""

from inventory import services
from shop.messaging.commands import command

command("inventory.reserve_stock")(services.reserve_stock)
command("inventory.release_stock")(services.release_stock)
command("inventory.dispatch_stock")(services.dispatch_stock)
