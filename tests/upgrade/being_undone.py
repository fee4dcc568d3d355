"""Orders being undone, at every position of the mirror."""

from __future__ import annotations

from tests.upgrade.moment import CANCELLED, COMPLETED, LAMP, MUG, NO_HAND_OVER, SOLD_OUT, Moment, inbox_breaks

BEING_UNDONE: dict[str, Moment] = {
    "requested, unsent": Moment(
        end=CANCELLED,
        at={
            "undo": "requested",
            "parcels": "labelled labelled",
            "unsent": "CancellationRequested",
            "untold": "CancellationRequested",
        },
        choreography={"failing": "shipping.hand_over"},
        skus=(LAMP, MUG),
        breaks=(NO_HAND_OVER,),
    ),
    "requested": Moment(
        end=CANCELLED, at={"status": "cancelling", "step": "paid", "undo": "requested", "shipment": None}
    ),
    "overtaken": Moment(
        end=COMPLETED,
        at={"status": "cancelling", "undo": "requested", "shipment": "handed_over"},
        orchestration={"untold": "CancellationRequested LabelCreated OrderShipped StockDispatched"},
        choreography={
            "untold": "CancellationRefused CancellationRequested InventoryReserved LabelCreated OrderCreated "
            "OrderShipped ParcelPlanned PaymentProcessed StockDispatched",
        },
        postcode="SLOW 1",
        skus=(LAMP, MUG),
    ),
    "undone first": Moment(  # the tombstones of an undo that came before what it undoes
        end=CANCELLED,
        at={"step": "placed", "undo": "refunded", "stock": None, "payment": "void", "shipment": "stopped"},
    ),
    "not stopped": Moment(
        end=CANCELLED,
        at={
            "undo": "requested",
            "shipment": "stopping",
            "carried": "label void",
            "broke": "shipping.stop_shipping",
        },
        choreography={"failing": "shipping.hand_over shipping.stop_shipping"},
        skus=(LAMP, MUG),
        breaks=(NO_HAND_OVER, ("shipping_shipment", {"state": "stopped"})),
    ),
    "refusal broke off": Moment(
        end=CANCELLED,
        at={"step": "paid", "undo": "", "shipment": "failing", "broke": "shipping.create_label"},
        choreography={"failing": "shipping.create_label"},
        postcode="REFUSE 1",
        breaks=(("shipping_shipment", {"state": "failed"}),),
    ),
    "stopped": Moment(end=CANCELLED, at={"undo": "stopped", "stock": "reserved", "payment": None}),
    "address refused": Moment(
        end=CANCELLED,
        at={"undo": "stopped", "shipment": "failed", "payment": "charged"},
        postcode="REFUSE 1",
        skus=(LAMP, MUG),
    ),
    "refunding": Moment(
        end=CANCELLED,
        at={
            "undo": "stopped",
            "payment": "refunding",
            "money": "charge refund",
            "broke": "payments.refund_payment",
        },
        choreography={"failing": "payments.refund_payment"},
        postcode="REFUSE 1",
        breaks=(("payments_payment", {"state": "refunded"}),),
    ),
    "refunded": Moment(end=CANCELLED, at={"undo": "refunded", "payment": "refunded", "stock": "reserved"}),
    "card declined": Moment(
        end=CANCELLED, at={"undo": "refunded", "payment": "failed", "stock": "reserved"}, card="declined"
    ),
    "not turned back": Moment(
        end=CANCELLED,
        at={"undo": "refunded", "payment": "failed", "stock": "reserved"},
        orchestration={"failing": "orders.turn_back"},
        choreography=None,
        card="declined",
        breaks=(inbox_breaks("orders.turn_back"),),
    ),
    "not released": Moment(
        end=CANCELLED,
        at={"undo": "refunded", "stock": "reserved", "broke": "inventory.release_stock"},
        choreography={"failing": "inventory.release_stock"},
        card="declined",
        breaks=(("inventory_reservation", {"state": "released"}),),
    ),
    "released, untold": Moment(
        end=CANCELLED,
        at={
            "undo": "stopped",
            "stock": "released",
            "payment": "refunded",
            "untold": "InventoryReleased PaymentProcessed PaymentRefunded",
        },
    ),
    "out of stock, untold": Moment(
        end=CANCELLED,
        at={"status": "placed", "undo": "", "stock": "rejected", "untold": "InventoryRejected"},
        skus=(LAMP, SOLD_OUT),
    ),
    "not cancelled": Moment(
        end=CANCELLED,
        at={"status": "cancelling", "undo": "released", "broke": "orders.cancel_order"},
        choreography={"failing": "orders.cancel_order"},
        card="declined",
        breaks=(("orders_order", {"status": "cancelled"}),),
    ),
    "cancelled, customer not told": Moment(
        end=CANCELLED, at={"status": "cancelled", "undo": "cancelled", "mails": None}, card="declined"
    ),
    "customer told, untold": Moment(
        end=CANCELLED,
        at={"undo": "cancelled", "mails": "cancellation sent", "untold": "CancellationNoticeSent"},
        card="declined",
    ),
}
