"""The moments at which orders were in flight when the dump was made, and what must become of them.

An order's idempotency key begins with the name of its moment, so that the dump itself says what each order is for.
"untold" in a name: orders, which keeps status and saga, does not know of it yet.
"""

from __future__ import annotations

from tests.upgrade.being_undone import BEING_UNDONE
from tests.upgrade.moment import CANCELLED, COMPLETED, LAMP, MUG, SOLD_OUT, Moment
from tests.upgrade.on_the_way import ON_THE_WAY

PARKED: dict[str, Moment] = {
    "parked: provider down": Moment(
        end=COMPLETED,
        at={"saga": "parked", "payment": "pending", "broke": "payments.take_payment"},
        choreography={"parked": "payments.take_payment"},
        card="provider_down",
    ),
    "parked: carrier down": Moment(
        end=COMPLETED,
        at={"saga": "parked", "parcels": "planned planned", "broke": "shipping.create_label"},
        choreography={"parked": "shipping.create_label"},
        postcode="DOWN 1",
        skus=(LAMP, MUG),
    ),
    "parked: failure not noted": Moment(
        end=COMPLETED,
        at={"payment": "pending", "broke": "payments.take_payment"},
        orchestration={"parked": "orders.try_again_later"},
        choreography={"parked": "orders.wait_for_the_service_that_retries payments.take_payment"},
        card="provider_down",
        breaks=(("orders_saga", {"attempt": 1}), ("orders_saga", {"attempt": 2})),
    ),
    "parked: not completed": Moment(
        end=COMPLETED,
        at={"saga": "parked", "step": "confirmed", "broke": "orders.complete_order"},
        choreography={"parked": "orders.complete_order"},
        breaks=(("orders_order", {"status": "completed"}),),
    ),
    "parked: not cancelled": Moment(
        end=CANCELLED,
        at={"saga": "parked", "undo": "released", "broke": "orders.cancel_order"},
        choreography={"parked": "orders.cancel_order"},
        card="declined",
        breaks=(("orders_order", {"status": "cancelled"}),),
    ),
}
AT_THE_END: dict[str, Moment] = {
    "ended: completed": Moment(end=COMPLETED, at={"status": "completed", "saga": "ended"}),
    "ended: two parcels": Moment(
        end=COMPLETED, at={"status": "completed", "saga": "ended"}, skus=(LAMP, MUG)
    ),
    "ended: card declined": Moment(
        end=CANCELLED, at={"status": "cancelled", "saga": "ended"}, card="declined"
    ),
    "ended: out of stock": Moment(
        end=CANCELLED, at={"status": "cancelled", "saga": "ended"}, skus=(SOLD_OUT,)
    ),
    "ended: address refused": Moment(
        end=CANCELLED, at={"status": "cancelled", "saga": "ended"}, postcode="REFUSE 1"
    ),
}
MOMENTS = ON_THE_WAY | BEING_UNDONE | PARKED | AT_THE_END
