"""Notifications' part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from notifications import services
from orders.events import OrderCancelled
from shipping.events import OrderShipped
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.when import when

STYLE = "choreography"


@when(OrderShipped, style=STYLE)
def send_confirmation(events: Sequence[OrderShipped]) -> Outcome:
    return services.send_confirmation(refs_of(events))


@when(OrderCancelled, style=STYLE)
def send_cancellation_notice(events: Sequence[OrderCancelled]) -> Outcome:
    return services.send_cancellation_notice(refs_of(events))
