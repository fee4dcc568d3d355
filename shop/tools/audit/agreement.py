"""An order's status, its saga, its timeline and the services' rows tell the same story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from inventory.models import Reservation
from notifications.models import Notification
from orders.events import OrderStalled
from orders.models import Order, Saga
from orders.process import ENDS
from payments.models import Payment
from shipping.models import Shipment
from shop.messaging.events import StepFailed, registry
from shop.messaging.pruning import kept_since
from shop.tools.audit.cases import CHUNK, Case
from shop.tools.audit.findings import Promise, Report, Violation
from shop.tools.audit.sql import any_of

# What each service's row of an ended order may say. None: it need not have one.
AT_THE_END: dict[str, dict[str, tuple[str | None, ...]]] = {
    Order.Status.COMPLETED: {
        "reservation": (Reservation.State.DEPARTED,),
        "payment": (Payment.State.CHARGED,),
        "shipment": (Shipment.State.HANDED_OVER,),
    },
    Order.Status.CANCELLED: {
        "reservation": (None, Reservation.State.REJECTED, Reservation.State.RELEASED),
        "payment": (None, Payment.State.FAILED, Payment.State.REFUNDED, Payment.State.VOID),
        "shipment": (None, Shipment.State.FAILED, Shipment.State.STOPPED),
    },
}
MANY_TIMES = (StepFailed.__name__, OrderStalled.__name__)


def check_order(case: Case) -> Iterator[str]:
    yield from _order_and_saga(case)
    for name, allowed in AT_THE_END.get(case.status, {}).items():
        row: Reservation | Payment | Shipment | None = getattr(case, name)
        state = row.state if row else None
        departing = case.in_flight and state == Reservation.State.RESERVED and case.completed
        if state not in allowed and not departing:
            said = f"its {name} is {state.replace('_', ' ')}" if state else f"it has no {name}"
            yield f"{case.number} is {case.status}, but {said}."
    # Events of an older version, which knew others, are history.
    told = Counter(event for event in case.timeline if event in registry and event not in MANY_TIMES)
    for event, count in told.items():
        if count > 1:
            yield f"{case.number} has {event} {count} times in its timeline."
    last = ENDS.get(case.status)
    old = case.order.ended_at is not None and case.order.ended_at < kept_since("TIMELINE")
    if last and not (case.in_flight or old) and last.__name__ not in told:
        yield f"{case.number} is {case.status}, but its timeline has no {last.__name__}."


def _order_and_saga(case: Case) -> Iterator[str]:
    ended = case.completed or case.cancelled
    if ended != case.order.ended:
        yield f"{case.number} is {case.status}, but {'has no' if ended else 'has a'} time of its end."
    if case.saga is None:
        return
    if case.saga.state == Saga.State.ENDED and not ended:
        yield f"{case.number} is {case.status}, but its saga has ended."
    elif case.completed and case.saga.state != Saga.State.ENDED:
        yield f"{case.number} is completed, but its saga is {case.saga.state}."


def check_strays(report: Report) -> None:
    """Rows of orders that do not exist. An order is stored before any service hears of it."""
    for service, model in (
        ("inventory", Reservation),
        ("payments", Payment),
        ("shipping", Shipment),
        ("notifications", Notification),
    ):
        rows = (
            model._default_manager.order_by("pk").values_list("order_id", "number").iterator(chunk_size=CHUNK)
        )
        while some := dict(islice(rows, CHUNK)):
            report.checked[Promise.AGREEMENT]["rows of services"] += len(some)
            known = set(Order.objects.filter(any_of("uuid", some)).values_list("uuid", flat=True))
            for uuid, number in some.items():
                if uuid not in known:
                    sentence = f"{number} is no order, but {service} has a row for it."
                    report.violations.append(Violation(Promise.AGREEMENT, sentence))
