"""Inventory's part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from inventory import services
from orders.events import OrderCreated
from payments.events import PaymentFailed, PaymentRefunded
from shipping.events import OrderShipped
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.when import when

STYLE = "choreography"


@when(OrderCreated, style=STYLE)
def reserve_stock(events: Sequence[OrderCreated]) -> Outcome:
    return services.reserve_stock(refs_of(events))


@when(OrderShipped, style=STYLE)
def dispatch_stock(events: Sequence[OrderShipped]) -> Outcome:
    return services.dispatch_stock(refs_of(events))


@when(PaymentFailed, PaymentRefunded, style=STYLE)
def release_stock(events: Sequence[PaymentFailed | PaymentRefunded]) -> Outcome:
    return services.release_stock(refs_of(events))
