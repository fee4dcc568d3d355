"""Orders' part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from inventory.events import InventoryRejected, InventoryReleased, StockDispatched
from notifications.events import ConfirmationSent
from orders import services
from orders.events import OrderStalled
from orders.joining import joined
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.relay import nudge
from shop.messaging.when import when

STYLE = "choreography"


@when(StockDispatched, ConfirmationSent, style=STYLE)
def complete_order(events: Sequence[StockDispatched | ConfirmationSent]) -> Outcome:
    return services.complete_order(refs_of(joined(events, StockDispatched, ConfirmationSent)))


@when(InventoryRejected, InventoryReleased, style=STYLE)
def cancel_order(events: Sequence[InventoryRejected | InventoryReleased]) -> Outcome:
    return services.cancel_order(refs_of(events))


@when(OrderStalled, style=STYLE)
def send_again_what_is_unconfirmed(events: Sequence[OrderStalled]) -> None:
    nudge([event.ref.id for event in events])
