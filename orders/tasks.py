"""Orders' commands, and what of its tables is deleted when it is old."""

from orders import services
from orders.models import Order, TimelineEntry
from orders.webhooks.models import WebhookDelivery
from shop.messaging.commands import command
from shop.messaging.pruning import History, prunes

command(services.complete_order)
command(services.cancel_order)

# Look-ups of single values: in place of EXISTS the planner may read all orders.
_ITS_ORDER = f"FROM {Order._meta.db_table} AS whole WHERE whole.id = old.order_id"
prunes(
    History(
        TimelineEntry,
        keep="TIMELINE",
        at="at",
        over=f"coalesce((SELECT whole.ended_at {_ITS_ORDER}) < asked.before, false)",
        order=f"(SELECT whole.uuid {_ITS_ORDER})",
    )
)
prunes(History(WebhookDelivery, keep="WEBHOOKS", at="created_at"))
