"""What payments holds of people: the token of how they pay. The provider has its own books, by the reference."""

from payments.models import DeadLetter, Inbox, Incident, Outage, Outbox, Payment
from shop.base.people import holds_of_people, holds_only_ids

holds_of_people(
    Payment,
    by="order_id",
    erased={"method": ""},
    plain=("number", "state", "currency", "charge_key", "refund_key", "reference", "reason"),
)
holds_only_ids(Outbox, Inbox, DeadLetter, Incident, Outage)
