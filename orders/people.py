"""What orders holds of people: whom an order is for, where it goes, and how it is paid."""

from django.db.models import Case, CharField, F, TextField, Value, When
from django.db.models.functions import Cast, Concat

from orders.models import DeadLetter, Inbox, Incident, Order, OrderLine, Outbox, Saga, TimelineEntry
from orders.webhooks.models import WebhookDelivery, WebhookEndpoint
from shipping.events import OrderShipped, ParcelsLabelled
from shop.base.people import holds_of_people, holds_only_ids

# What stays of the entries that tell tracking numbers.
WITHOUT_TRACKING = (
    When(event=ParcelsLabelled.__name__, then=Value("labels for all parcels")),
    When(event=OrderShipped.__name__, then=Value("handed over to the carrier")),
)

holds_of_people(
    Order,
    by="uuid",
    erased={
        "name": "",
        "email": "",
        "line1": "",
        "city": "",
        "postcode": "",
        "payment_method": "",
        # The client chose it; it stays one of its kind. By the digest who knows an address could tell that it was it.
        "idempotency_key": Concat(
            Value("erased "), Cast("uuid", TextField()), output_field=CharField(max_length=100)
        ),
        "request_digest": "",
    },
    plain=("style", "status", "currency", "country"),  # the books need the country, for its taxes
)
holds_of_people(OrderLine, by="order__uuid", plain=("sku", "name"))
holds_of_people(Saga, by="order__uuid", plain=("state", "step", "undo", "last_error", "reason"))
holds_of_people(
    TimelineEntry,
    by="order__uuid",
    erased={"text": Case(*WITHOUT_TRACKING, default=F("text")), "request": ""},  # the client chose its id
    plain=("service", "event", "kind"),
)
holds_of_people(
    WebhookEndpoint,
    by_customer="customer_id",
    erased={
        "url": "https://erased.invalid/",
        "secret": "",
        "old_secrets": [],
        "state": WebhookEndpoint.State.DISABLED,
        "reason": "Its customer was erased.",
    },
    secret=("secret", "old_secrets"),
)
holds_of_people(WebhookDelivery, by="order_id", plain=("kind", "number", "status", "state", "trouble"))
holds_only_ids(Outbox, Inbox, DeadLetter, Incident)
