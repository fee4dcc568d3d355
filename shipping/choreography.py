"""Shipping's part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from orders.events import CancellationRequested
from payments.events import PaymentProcessed
from shipping import services
from shipping.events import ParcelsLabelled
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.when import when

STYLE = "choreography"


@when(PaymentProcessed, style=STYLE)
def create_labels(events: Sequence[PaymentProcessed]) -> Outcome:
    return services.create_labels(refs_of(events))


@when(ParcelsLabelled, style=STYLE)
def hand_over(events: Sequence[ParcelsLabelled]) -> Outcome:
    return services.hand_over(refs_of(events))


@when(CancellationRequested, style=STYLE)
def stop_shipping(events: Sequence[CancellationRequested]) -> Outcome:
    return services.stop_shipping(refs_of(events))
