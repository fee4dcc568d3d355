"""Orders' commands, and the housekeeping beat asks for."""

from orders import services
from shop.messaging.commands import command
from shop.messaging.pruning import prune
from shop.messaging.tasks import task

command(services.complete_order)
command(services.cancel_order)
task("orders.prune_history")(prune)
