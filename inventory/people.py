"""What inventory holds of people: which order its products are for, and nothing else."""

from inventory.models import (
    DeadLetter,
    Inbox,
    Incident,
    Outbox,
    Product,
    Receipt,
    Reservation,
    ReservationLine,
    Stock,
    Warehouse,
)
from shop.base.people import holds_of_people, holds_only_ids

holds_of_people(Product, plain=("sku", "name", "currency"))
holds_of_people(Warehouse, plain=("code", "name"))
holds_of_people(Stock)
holds_of_people(Receipt, plain=("note",))  # of goods that came in
holds_of_people(Reservation, by="order_id", plain=("number", "state", "reason"))
holds_of_people(ReservationLine, by="reservation__order_id")
holds_only_ids(Outbox, Inbox, DeadLetter, Incident)
