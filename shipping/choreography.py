"""Shipping's part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from orders.events import CancellationRequested
from payments.events import PaymentProcessed
from shipping import services
from shipping.events import LabelCreated, ParcelPlanned
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.when import when

STYLE = "choreography"


@when(PaymentProcessed, style=STYLE)
def plan_parcels(events: Sequence[PaymentProcessed]) -> Outcome:
    return services.plan_parcels(refs_of(events))


@when(ParcelPlanned, style=STYLE)
def create_label(events: Sequence[ParcelPlanned]) -> Outcome:
    outcome = Outcome()
    for warehouse in sorted({event.warehouse for event in events}):
        parcels = [event for event in events if event.warehouse == warehouse]
        outcome.add(services.create_label(refs_of(parcels), warehouse))
    return outcome


@when(LabelCreated, style=STYLE)
def hand_over(events: Sequence[LabelCreated]) -> Outcome:
    return services.hand_over(refs_of(events))


@when(CancellationRequested, style=STYLE)
def stop_shipping(events: Sequence[CancellationRequested]) -> Outcome:
    return services.stop_shipping(refs_of(events))
