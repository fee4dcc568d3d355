"""Orders' commands, and the housekeeping beat asks for."""

from celery import shared_task

from orders import services
from shop.messaging.commands import command
from shop.messaging.pruning import prune

command("orders.complete_order")(services.complete_order)
command("orders.cancel_order")(services.cancel_order)
shared_task(name="orders.prune_history", queue="orders")(prune)
