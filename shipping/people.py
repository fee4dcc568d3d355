"""What shipping holds of people: the numbers by which a carrier shows where a parcel went. It keeps no address."""

from django.db.models.expressions import RawSQL

from shipping.models import DeadLetter, Inbox, Incident, Outage, Outbox, Parcel, Shipment
from shop.base.people import holds_of_people, holds_only_ids

# Of the events that tell tracking numbers; of all others nothing.
WITHOUT_TRACKING = RawSQL(
    """jsonb_set(payload, '{tracking}', CASE jsonb_typeof(payload -> 'tracking')
    WHEN 'array' THEN '[]'::jsonb ELSE '{}'::jsonb END, false)""",
    (),
)
holds_of_people(Shipment, by="order_id", plain=("number", "state", "reason"))
holds_of_people(
    Parcel,
    by="shipment__order_id",
    erased={"tracking": ""},
    plain=("warehouse", "key", "state", "withdrawn"),
)
holds_of_people(
    Outbox,
    by="order_id",
    erased={"payload": WITHOUT_TRACKING},
    plain=("type", "number", "style"),
)
holds_only_ids(Inbox, DeadLetter, Incident, Outage)
