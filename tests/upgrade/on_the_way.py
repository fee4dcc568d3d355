"""Orders on their way to completion."""

from __future__ import annotations

from tests.upgrade.moment import COMPLETED, LAMP, MUG, NO_HAND_OVER, Moment, inbox_breaks

ON_THE_WAY: dict[str, Moment] = {
    "unsent": Moment(
        end=COMPLETED, at={"step": "placed", "unsent": "OrderCreated", "untold": "OrderCreated"}
    ),
    "sent": Moment(end=COMPLETED, at={"step": "placed", "untold": "OrderCreated"}),
    "placed": Moment(end=COMPLETED, at={"status": "placed", "step": "placed", "stock": None}),
    "not begun": Moment(
        end=COMPLETED,
        at={"step": "placed", "stock": None},
        orchestration={"failing": "orders.begin", "broke": "orders.begin"},
        choreography=None,
        breaks=(inbox_breaks("orders.begin"),),
    ),
    "not reserved": Moment(
        end=COMPLETED,
        at={"step": "placed", "stock": None, "broke": "inventory.reserve_stock"},
        choreography={"failing": "inventory.reserve_stock"},
        breaks=(("inventory_reservation", {"state": "reserved"}),),
    ),
    "reserved": Moment(end=COMPLETED, at={"status": "reserved", "stock": "reserved", "payment": None}),
    "reserved, untold": Moment(
        end=COMPLETED,
        at={"step": "placed", "stock": "reserved", "payment": None, "untold": "InventoryReserved"},
    ),
    "stalled": Moment(
        end=COMPLETED,
        at={"step": "reserved", "payment": None},
        orchestration={"failing": "orders.play_on"},
        choreography={"failing": "orders.send_again_what_is_unconfirmed"},
        breaks=(inbox_breaks("orders.play_on"), inbox_breaks("orders.send_again_what_is_unconfirmed")),
    ),
    "provider down": Moment(
        end=COMPLETED,
        at={"step": "reserved", "payment": "pending", "money": None, "broke": "payments.take_payment"},
        choreography={"failing": "payments.take_payment"},
        card="provider_down",
    ),
    "failure not noted": Moment(
        end=COMPLETED,
        at={"step": "reserved", "payment": "pending", "broke": "payments.take_payment"},
        orchestration={"failing": "orders.try_again_later"},
        choreography={"failing": "orders.wait_for_the_service_that_retries payments.take_payment"},
        card="provider_down",
        breaks=(("orders_saga", {"attempt": 1}),),
    ),
    "answer lost": Moment(
        end=COMPLETED,
        at={"step": "reserved", "payment": "pending", "money": "charge", "broke": "payments.take_payment"},
        choreography={"failing": "payments.take_payment"},
        card="answer_lost",
    ),
    "charged, untold": Moment(
        end=COMPLETED,
        at={"step": "reserved", "payment": "charged", "shipment": None, "untold": "PaymentProcessed"},
    ),
    "paid": Moment(end=COMPLETED, at={"status": "paid", "payment": "charged", "shipment": None}),
    "carrier down": Moment(
        end=COMPLETED,
        at={"step": "paid", "parcels": "planned planned", "carried": None, "broke": "shipping.create_label"},
        choreography={"failing": "shipping.create_label"},
        postcode="DOWN 1",
        skus=(LAMP, MUG),
    ),
    "half labelled": Moment(
        end=COMPLETED,
        at={
            "step": "paid",
            "parcels": "labelled planned",
            "carried": "label",
            "broke": "shipping.create_label",
        },
        choreography={"failing": "shipping.create_label"},
        skus=(LAMP, MUG),
        breaks=(("shipping_parcel", {"state": "labelled", "warehouse": "SOUTH"}),),
    ),
    "labelled": Moment(
        end=COMPLETED,
        at={"shipment": "planned", "parcels": "labelled labelled", "broke": "shipping.hand_over"},
        choreography={"failing": "shipping.hand_over"},
        skus=(LAMP, MUG),
        breaks=(NO_HAND_OVER,),
    ),
    "handing over": Moment(
        end=COMPLETED,
        at={"shipment": "handing_over", "carried": "handover label", "broke": "shipping.hand_over"},
        choreography={"failing": "shipping.hand_over"},
        breaks=(("shipping_shipment", {"state": "handed_over"}),),
    ),
    "handed over, untold": Moment(
        end=COMPLETED,
        at={"shipment": "handed_over", "stock": "departed", "mails": None},
        orchestration={"step": "paid", "untold": "LabelCreated OrderShipped StockDispatched"},
        choreography={
            "step": "placed",
            "untold": "InventoryReserved LabelCreated OrderCreated OrderShipped ParcelPlanned PaymentProcessed "
            "StockDispatched",
        },
        postcode="SLOW 1",
        skus=(LAMP, MUG),
    ),
    "not departed": Moment(
        end=COMPLETED,
        at={"shipment": "handed_over", "stock": "reserved"},
        orchestration={"status": "shipped", "step": "shipped", "mails": None},
        choreography={"status": "completed", "saga": "ended", "mails": "confirmation sent"},
    ),
    "shipped": Moment(end=COMPLETED, at={"status": "shipped", "stock": "departed", "mails": None}),
    "mail not noted": Moment(
        end=COMPLETED,
        at={"step": "shipped", "mails": "confirmation sending", "broke": "notifications.send_confirmation"},
        choreography={"failing": "notifications.send_confirmation"},
        breaks=(("notifications_notification", {"state": "sent"}),),
    ),
    "confirmed, untold": Moment(
        end=COMPLETED,
        at={
            "step": "shipped",
            "stock": "departed",
            "mails": "confirmation sent",
            "untold": "ConfirmationSent",
        },
    ),
    "not completed": Moment(
        end=COMPLETED,
        at={"status": "shipped", "step": "confirmed", "broke": "orders.complete_order"},
        choreography={"failing": "orders.complete_order"},
        breaks=(("orders_order", {"status": "completed"}),),
    ),
    "confirmed, not departed": Moment(
        end=COMPLETED,
        at={
            "status": "shipped",
            "step": "confirmed",
            "stock": "reserved",
            "failing": "orders.complete_order",
        },
        orchestration=None,
        breaks=(("orders_order", {"status": "completed"}),),
    ),
    "progress not noted": Moment(
        end=COMPLETED,
        at={"status": "completed", "saga": "ended", "failing": "orders.note_progress"},
        breaks=(("orders_saga", {"step": "reserved"}),),
    ),
}
