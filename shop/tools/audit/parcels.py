"""Completed: every parcel was handed over. Cancelled: none was, and all are void. Under a withdrawn key none ever was."""

from __future__ import annotations

from collections.abc import Iterator

from shipping.models import Parcel
from shop.tools.audit.cases import Case

State = Parcel.State


def check_order(case: Case) -> Iterator[str]:
    if case.completed and case.shipment:
        yield from _completed(case)
    elif case.cancelled:
        yield from _cancelled(case)
    for parcel, carried in case.withdrawn:
        its = f"{case.number} has a label with an old address for its parcel from {parcel.warehouse}"
        if "handover" in carried:
            yield f"{its}, and it was handed over."
        elif "label" in carried and "void" not in carried and (case.completed or case.cancelled):
            yield f"{its}, and it is not void at the carrier."


def _completed(case: Case) -> Iterator[str]:
    sent_from = {parcel.warehouse for parcel, _ in case.parcels}
    if sent_from != case.stock_from:
        theirs, ours = (
            ", ".join(sorted(sent_from)) or "nowhere",
            ", ".join(sorted(case.stock_from)) or "nowhere",
        )
        yield f"{case.number} has parcels from {theirs}, but its stock is from {ours}."
    for parcel, carried in case.parcels:
        its = f"{case.number} is completed, but its parcel from {parcel.warehouse}"
        if carried.count("handover") != 1:
            yield f"{its} was handed over {carried.count('handover')} times."
        elif "void" in carried:
            yield f"{its} is void at the carrier."
        elif parcel.state != State.HANDED_OVER:
            yield f"{its} is noted as {parcel.state.replace('_', ' ')}."


def _cancelled(case: Case) -> Iterator[str]:
    for parcel, carried in case.parcels:
        its = f"{case.number} is cancelled, but its parcel from {parcel.warehouse}"
        if "handover" in carried:
            yield f"{its} was handed over."
        elif "void" not in carried:
            yield f"{its} is not void at the carrier."
        elif parcel.state != State.VOID:
            yield f"{its} is noted as {parcel.state.replace('_', ' ')}."
