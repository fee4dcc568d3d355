"""What shipping holds of people: the numbers by which a carrier shows where a parcel went. It keeps no address."""

from shipping.models import DeadLetter, Inbox, Incident, Outage, Outbox, Parcel, Shipment
from shop.base.people import holds_of_people, holds_only_ids

holds_of_people(Shipment, by="order_id", plain=("number", "state", "reason"))
holds_of_people(
    Parcel,
    by="shipment__order_id",
    erased={"tracking": ""},
    plain=("warehouse", "key", "state", "withdrawn"),
)
holds_only_ids(Outbox, Inbox, DeadLetter, Incident, Outage)
