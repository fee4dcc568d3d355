"""The running relay deletes what is old of a whole order; what is business stays, and the books still hold."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import F

from notifications.models import Mail, Notification
from orders.models import Order, Saga, TimelineEntry
from payments.models import Payment
from shipping.models import Shipment
from shop.messaging.outbox import confirmed_until, of_orders
from shop.messaging.tables import inbox_of, outbox_of, services
from shop.tools.audit.run import audit
from tests.live import Live

A_YEAR_AND_MORE = timedelta(days=400)


AT_LEISURE = 240.0  # s; a relay gives it a third of its time, and all orders of the tests before are as old


def history_of(order: Order) -> Counter[str]:
    """Rows that are history one day, by table."""
    mails = Notification.objects.filter(order_id=order.uuid).values_list("message_id", flat=True)
    found = Counter(
        timeline=order.timeline.count(), mails=Mail.objects.filter(message_id__in=list(mails)).count()
    )
    for service in services():
        found[f"outbox of {service}"] = of_orders(service, [order.uuid]).count()
        found[f"inbox of {service}"] = inbox_of(service)._default_manager.filter(order_id=order.uuid).count()
    return +found


def is_confirmed(order: Order) -> bool:
    return not any(
        of_orders(service, [order.uuid]).filter(pk__gt=confirmed_until(service)).exists()
        for service in services()
    )


def a_year_passes() -> None:
    """As if all that there is had happened so long ago: rows are deleted from the low end, up to the first young one."""
    Order.objects.update(placed_at=F("placed_at") - A_YEAR_AND_MORE, ended_at=F("ended_at") - A_YEAR_AND_MORE)
    TimelineEntry.objects.update(at=F("at") - A_YEAR_AND_MORE)
    for service in services():
        outbox, inbox = outbox_of(service)._default_manager, inbox_of(service)._default_manager
        outbox.update(created_at=F("created_at") - A_YEAR_AND_MORE)
        inbox.update(received_at=F("received_at") - A_YEAR_AND_MORE)
    Mail.objects.update(at=F("at") - A_YEAR_AND_MORE)
    Notification.objects.update(sending_since=F("sending_since") - A_YEAR_AND_MORE)


def test_the_relay_deletes_what_is_old_and_nothing_else(live: Live) -> None:
    skus = live.products()
    (old,) = live.place("orchestration", skus)
    live.wait_until_ended([old])
    live.wait_for(lambda: is_confirmed(old), "all events are confirmed")
    a_year_passes()
    (fresh,) = live.place("choreography", skus)
    live.wait_until_ended([fresh])
    before = history_of(fresh)
    live.stack.kill("relay")  # the next one looks at once
    live.supervised_again()
    live.wait_for(
        lambda: not history_of(old),
        lambda: f"the old order's history is deleted: {history_of(old)}",
        AT_LEISURE,
    )
    assert history_of(fresh) == before
    assert before.total() > 20
    for model in (Payment, Shipment, Notification):
        assert model._default_manager.filter(order_id=old.uuid).count() == 1
    assert Saga.objects.get(order=old).state == Saga.State.ENDED
    of_the_old: list[Any] = [v for v in audit().violations if old.number in v.sentence]
    assert of_the_old == []
