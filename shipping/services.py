"""Shipping's operations. The pivot is decided here: a shipment's row lock orders hand-over against cancellation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import msgspec
from django.db import transaction

from inventory.lookups import StockWarehouses
from orders.lookups import DeliveryAddress
from shipping.carrier import Address, HandedOver, Label, LabelRefused, LabelRequest, Voided, carrier
from shipping.events import (
    CancellationRefused,
    LabelCreated,
    OrderShipped,
    ParcelPlanned,
    ShippingFailed,
    ShippingStopped,
)
from shipping.models import Parcel, Shipment
from shop.base.bulk import save_all
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.recording import recording

State = Shipment.State
BEING_UNDONE = (State.FAILING, State.STOPPING)
PAST_THE_PIVOT = (State.HANDING_OVER, State.HANDED_OVER)
NEVER_LEAVES = (State.FAILING, State.FAILED, State.STOPPING, State.STOPPED)


def plan_parcels(refs: Sequence[Ref]) -> Outcome:
    """Make one parcel per warehouse the order's stock is set aside in."""
    stock: Mapping[UUID, StockWarehouses] = ask(StockWarehouses, [ref.id for ref in refs])
    outcome = Outcome()
    with recording("shipping") as record:
        rows = Shipment.claim(refs)
        parcels: list[Parcel] = []
        for ref in refs:
            row = rows[ref.id]
            if row.state == State.NEW:
                row.state = State.PLANNED
                for warehouse in stock[ref.id].codes:
                    parcels.append(Parcel(shipment=row, warehouse=warehouse))
                    record.publish(ParcelPlanned(ref=ref, warehouse=warehouse))
            (outcome.refused if row.state in NEVER_LEAVES else outcome.done).append(ref)
        save_all(rows.values(), ["state"])
        Parcel.objects.bulk_create(parcels)
    # A refusal whose undo broke off: whoever takes the order up again comes by here or by ``create_label``.
    failing = [ref for ref in refs if rows[ref.id].state == State.FAILING]
    outcome.faults |= _finish_undo(failing).faults
    return outcome


def create_label(refs: Sequence[Ref], warehouse: str) -> Outcome:
    """Have the carrier take on each order's parcel from this warehouse, or refuse the order. Undo: ``stop_shipping``."""
    unlabelled = _parcels_from(warehouse, refs).values()
    answers = carrier().create_labels(
        _label_requests([parcel for parcel in unlabelled if _to_be_labelled(parcel)])
    )
    outcome = Outcome()
    with recording("shipping") as record:
        rows = Shipment.claim(refs)
        parcels = _parcels_from(
            warehouse, refs
        )  # again, under the lock: another delivery may have been faster
        labelled: list[Parcel] = []
        for ref in refs:
            row, parcel = rows[ref.id], parcels[ref.id]
            answer = answers.get(parcel.key)
            if row.state == State.PLANNED and parcel.state == Parcel.State.PLANNED:
                if isinstance(answer, Label):
                    parcel.state, parcel.tracking = Parcel.State.LABELLED, answer.tracking
                    labelled.append(parcel)
                    record.publish(LabelCreated(ref=ref, warehouse=warehouse, tracking=answer.tracking))
                elif isinstance(answer, LabelRefused):
                    row.state, row.reason = State.FAILING, answer.reason[:300]
                else:
                    outcome.faults[ref] = answer or Fault("The carrier has not been asked yet.")
                    continue
            (outcome.refused if row.state in NEVER_LEAVES else outcome.done).append(ref)
        save_all(rows.values(), ["state", "reason"])
        save_all(labelled, ["state", "tracking"])
    failing = [ref for ref in refs if rows[ref.id].state == State.FAILING]
    outcome.faults |= _finish_undo(failing).faults
    return outcome


def hand_over(refs: Sequence[Ref]) -> Outcome:
    """Give all parcels of each order to the carrier: the pivot. Orders with a parcel unlabelled just leave the set."""
    with transaction.atomic(using=alias_of("shipping")):
        rows = Shipment.claim(refs)
        parcels = _parcels_of(refs)
        for row in rows.values():
            if row.state == State.PLANNED and all(
                p.state == Parcel.State.LABELLED for p in parcels[row.order_id]
            ):
                row.state = State.HANDING_OVER
            elif row.state == State.NEW:
                raise Fault(f"No parcels are planned for {row.number} yet.")
        save_all(rows.values(), ["state"])
    leaving = [p for row in rows.values() if row.state == State.HANDING_OVER for p in parcels[row.order_id]]
    answers = carrier().hand_over([parcel.key for parcel in leaving])
    outcome = Outcome()
    with recording("shipping") as record:
        rows = Shipment.claim(refs)
        gone: list[Parcel] = []
        for ref in refs:
            row, mine = rows[ref.id], parcels[ref.id]
            if row.state == State.HANDING_OVER and all(parcel.key in answers for parcel in mine):
                if fault := next(
                    (answers[p.key] for p in mine if not isinstance(answers[p.key], HandedOver)), None
                ):
                    outcome.faults[ref] = (
                        fault if isinstance(fault, Fault) else Fault("The carrier gave no answer.")
                    )
                    continue
                row.state = State.HANDED_OVER
                for parcel in mine:
                    parcel.state = Parcel.State.HANDED_OVER
                gone += mine
                record.publish(OrderShipped(ref=ref, tracking=[parcel.tracking for parcel in mine]))
            if row.state == State.HANDED_OVER:
                outcome.done.append(ref)
            elif row.state in NEVER_LEAVES:
                outcome.refused.append(ref)
        save_all(rows.values(), ["state"])
        save_all(gone, ["state"])
    return outcome


def stop_shipping(refs: Sequence[Ref]) -> Outcome:
    """The undo: void the labels, and see to it that no parcel leaves; or refuse, if the pivot has passed."""
    outcome = Outcome()
    with recording("shipping") as record:
        rows = Shipment.claim(refs)
        for ref in refs:
            row = rows[ref.id]
            if row.state == State.NEW:
                row.state = State.STOPPED
                record.publish(ShippingStopped(ref=ref))
            elif row.state == State.PLANNED:
                row.state = State.STOPPING
            elif row.state in PAST_THE_PIVOT:
                outcome.refused.append(ref)
                if not row.refused_cancellation:
                    row.refused_cancellation = True
                    record.publish(CancellationRefused(ref=ref))
            if row.state in (State.STOPPED, State.FAILED):
                outcome.done.append(ref)
        save_all(rows.values(), ["state", "refused_cancellation"])
    outcome.add(_finish_undo([ref for ref in refs if rows[ref.id].state in BEING_UNDONE]))
    return outcome


def _finish_undo(refs: Sequence[Ref]) -> Outcome:
    """Void all labels of shipments that are failing or stopping, made or still being made; then say so."""
    outcome = Outcome()
    if not refs:
        return outcome
    parcels = _parcels_of(refs)
    answers = carrier().void([parcel.key for mine in parcels.values() for parcel in mine])
    with recording("shipping") as record:
        rows = Shipment.claim(refs)
        for ref in refs:
            row, mine = rows[ref.id], parcels[ref.id]
            if row.state in BEING_UNDONE:
                if fault := next(
                    (answers[p.key] for p in mine if not isinstance(answers[p.key], Voided)), None
                ):
                    outcome.faults[ref] = (
                        fault if isinstance(fault, Fault) else Fault("The parcel has left already.")
                    )
                    continue
                if row.state == State.FAILING:
                    row.state = State.FAILED
                    record.publish(ShippingFailed(ref=ref, reason=row.reason))
                else:
                    row.state = State.STOPPED
                    record.publish(ShippingStopped(ref=ref))
                Parcel.objects.filter(shipment=row).update(state=Parcel.State.VOID)
            outcome.done.append(ref)
        save_all(rows.values(), ["state"])
    return outcome


def _parcels_from(warehouse: str, refs: Sequence[Ref]) -> dict[UUID, Parcel]:
    ids = [ref.id for ref in refs]
    rows = Parcel.objects.select_related("shipment").filter(shipment__in=ids, warehouse=warehouse)
    return {parcel.shipment_id: parcel for parcel in rows}


def _to_be_labelled(parcel: Parcel) -> bool:
    """Of an order that has been refused or stopped meanwhile, the carrier is asked for nothing more."""
    return parcel.state == Parcel.State.PLANNED and parcel.shipment.state == State.PLANNED


def _parcels_of(refs: Sequence[Ref]) -> dict[UUID, list[Parcel]]:
    found: dict[UUID, list[Parcel]] = defaultdict(list)
    for parcel in Parcel.objects.filter(shipment__in=[ref.id for ref in refs]).order_by(
        "shipment", "warehouse"
    ):
        found[parcel.shipment_id].append(parcel)
    return found


def _label_requests(parcels: Iterable[Parcel]) -> list[LabelRequest]:
    parcels = list(parcels)
    addresses: Mapping[UUID, DeliveryAddress] = ask(
        DeliveryAddress, [parcel.shipment_id for parcel in parcels]
    )
    return [
        LabelRequest(
            key=parcel.key,
            order_number=parcel.shipment.number,
            warehouse=parcel.warehouse,
            address=Address(**msgspec.structs.asdict(addresses[parcel.shipment_id])),
        )
        for parcel in parcels
    ]
