"""Payments' part in the choreography: when X, we do Y."""

from collections.abc import Sequence

from inventory.events import InventoryReserved
from payments import services
from shipping.events import ShippingFailed, ShippingStopped
from shop.messaging.events import refs_of
from shop.messaging.outcomes import Outcome
from shop.messaging.when import when

STYLE = "choreography"


@when(InventoryReserved, style=STYLE)
def take_payment(events: Sequence[InventoryReserved]) -> Outcome:
    return services.take_payment(refs_of(events))


@when(ShippingFailed, ShippingStopped, style=STYLE)
def refund_payment(events: Sequence[ShippingFailed | ShippingStopped]) -> Outcome:
    return services.refund_payment(refs_of(events))
