"""Shipping's operations. The pivot is decided here: a shipment's row orders hand-over against cancellation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from inventory.lookups import StockWarehouses
from shipping.asking import label_requests, void_withdrawn
from shipping.carrier import HandedOver, Label, LabelRefused, Voided, carrier
from shipping.events import (
    CancellationRefused,
    OrderShipped,
    ParcelsLabelled,
    ShippingFailed,
    ShippingStopped,
)
from shipping.holding import being_corrected
from shipping.models import Parcel, Shipment, new_key
from shipping.plans import Plan, Planned, move, plans_of
from shipping.replies import Answers, as_answered, fault_of, faults_of, keys_of, with_labels
from shop.base.databases import alias_of
from shop.base.lookups import ask
from shop.base.per_order import Overtaken, again_if_overtaken
from shop.messaging.delivery import taking_own
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault, Outcome
from shop.messaging.recording import recording
from shop.messaging.rows import Row, insert, select, update

State = Shipment.State
BEFORE_THE_PIVOT = (State.PLANNED, State.LABELLED, State.HELD)
PAST_THE_PIVOT = (State.HANDING_OVER, State.HANDED_OVER)
NEVER_LEAVES = (State.FAILING, State.FAILED, State.STOPPING, State.STOPPED)
ONCE_UNDONE = {State.FAILING: State.FAILED, State.STOPPING: State.STOPPED}  # what is being undone, and then


def create_labels(refs: Sequence[Ref], warehouse: str | None = None) -> Outcome:
    """Have the carrier take on each order's parcels, or refuse the order. Undo: ``stop_shipping``.

    ``warehouse``: only the parcels that leave from there. Whoever makes an order's last label tells that it has all.
    """
    plans = _store_plans(refs)
    wanted = label_requests(refs, plans, warehouse)
    # An older version left orders in the state ``planned`` of which all parcels have labels.
    plans |= _note_labels(
        [ref for ref in refs if ref.id not in wanted and plans[ref.id].state == State.PLANNED], plans, {}
    )
    answers: dict[str, object] = {}
    for id, fault in void_withdrawn({id: plans[id] for id in wanted}).items():
        answers |= dict.fromkeys((request.key for request in wanted.pop(id)), fault)
    orders = {request.key: ref for ref in refs for request in wanted.get(ref.id, ())}
    for group in carrier().create_labels([request for some in wanted.values() for request in some]):
        answers |= group
        with taking_own("shipping"):  # an order that has all its labels leaves, whatever others wait for
            plans |= _note_labels(list(dict.fromkeys(orders[key] for key in group)), plans, group)
    outcome = Outcome()
    for ref in refs:
        plan = plans[ref.id]
        if plan.state in NEVER_LEAVES:
            outcome.refused.append(ref)
        elif plan.state == State.PLANNED and (missing := plan.unlabelled(warehouse)):
            outcome.faults[ref] = fault_of(answers.get(missing[0].key), "The carrier has not been asked yet.")
        elif plan.state == State.HELD:
            outcome.faults[ref] = being_corrected(ref.id)
        else:
            outcome.done.append(ref)
    # Also a refusal whose undo broke off: whoever takes the order up again comes by here.
    failing = [ref for ref in refs if plans[ref.id].state == State.FAILING]
    outcome.faults |= _finish_undo(failing).faults
    return outcome


def hand_over(refs: Sequence[Ref]) -> Outcome:
    """Give all parcels of each order to the carrier: the pivot. Orders with a parcel unlabelled just leave the set."""
    plans = _pass_the_pivot(refs)
    leaving = {
        ref: plans[ref.id] for ref in refs if ref.id in plans and plans[ref.id].state == State.HANDING_OVER
    }
    outcome = Outcome()
    for some, answers in as_answered(leaving, carrier().hand_over(keys_of(leaving))):
        faults = faults_of(some, answers, HandedOver, "The carrier gave no answer.")
        outcome.faults |= faults
        with recording("shipping") as record:
            gone = Shipment.advance(
                (ref for ref in some if ref not in faults), State.HANDING_OVER, State.HANDED_OVER
            )
            # The others of them another delivery has noted, and told.
            left = {ref: plan for ref, plan in some.items() if ref.id in gone}
            move(left.values(), Parcel.State.HANDED_OVER)
            for ref, plan in left.items():
                record.publish(OrderShipped(ref=ref, tracking=[parcel.tracking for parcel in plan.parcels]))
    for ref in refs:
        state = plans[ref.id].state if ref.id in plans else None
        if state is None:
            outcome.faults[ref] = Fault("No parcels are planned yet.")
        elif state in PAST_THE_PIVOT and ref not in outcome.faults:
            outcome.done.append(ref)
        elif state in NEVER_LEAVES:
            outcome.refused.append(ref)
    return outcome


def stop_shipping(refs: Sequence[Ref]) -> Outcome:
    """The undo: void the labels, and see to it that no parcel leaves; or refuse, if the pivot has passed."""
    states = _stop(refs)
    outcome = Outcome()
    for ref in refs:
        if states[ref.id] in PAST_THE_PIVOT:
            outcome.refused.append(ref)
        elif states[ref.id] not in ONCE_UNDONE:
            outcome.done.append(ref)
    outcome.add(_finish_undo([ref for ref in refs if states[ref.id] in ONCE_UNDONE]))
    return outcome


@again_if_overtaken
def _store_plans(refs: Sequence[Ref]) -> dict[UUID, Plan]:
    """Plan each order's parcels, once, and store them: one from each warehouse in which its stock is set aside."""
    with transaction.atomic(using=alias_of("shipping")):
        fresh = Shipment.begin(_row(ref, State.PLANNED) for ref in refs)
        stock: Mapping[UUID, StockWarehouses] = ask(StockWarehouses, list(fresh)) if fresh else {}
        if lost := [ref.number for ref in refs if ref.id in fresh and ref.id not in stock]:
            raise Fault(f"No stock is set aside for {', '.join(lost)}.")
        plans = {
            id: Plan(State.PLANNED, [Planned(new_key(), code) for code in stock[id].codes]) for id in fresh
        }
        insert(
            Parcel,
            [
                {"shipment_id": id, "warehouse": parcel.warehouse, "key": parcel.key}
                for id, plan in plans.items()
                for parcel in plan.parcels
            ],
        )
    plans |= plans_of([ref for ref in refs if ref.id not in fresh])
    if len(plans) < len({ref.id for ref in refs}):
        raise Overtaken("An address was corrected at this very moment.")
    return plans


def _note_labels(refs: Sequence[Ref], plans: Mapping[UUID, Plan], answers: Answers) -> dict[UUID, Plan]:
    """Note what the carrier has answered of these orders. Returns their plans as they are then."""
    if not refs:
        return {}
    ids = [ref.id for ref in refs]
    with recording("shipping") as record:
        # Locked before labels are counted: else two who make an order's last two labels would both find one missing.
        states: dict[UUID, str] = dict(select(Shipment, ("order_id", "state"), "order_id", ids, lock=True))
        planned = [ref for ref in refs if states[ref.id] == State.PLANNED]
        labels = [
            {"key": parcel.key, "state": Parcel.State.LABELLED, "tracking": answer.tracking}
            for ref in planned
            for parcel in plans[ref.id].parcels
            if isinstance(answer := answers.get(parcel.key), Label)
        ]
        noted = {
            key for (key,) in update(Parcel, labels, only={"state": Parcel.State.PLANNED}, returning=("key",))
        }
        given = {key: answers[key] for key in noted}
        now = {ref.id: with_labels(plans[ref.id], given) for ref in planned}
        # Others may have made the rest; or the keys are withdrawn, and what is answered to them counts no more.
        now |= plans_of([ref for ref in planned if not now[ref.id].labelled])
        moved: list[Row] = []
        for ref in planned:
            parcels = now[ref.id].parcels
            refusals = [answer for p in parcels if isinstance(answer := answers.get(p.key), LabelRefused)]
            if now[ref.id].labelled:
                states[ref.id], reason = State.LABELLED, ""
                record.publish(ParcelsLabelled(ref=ref, tracking={p.warehouse: p.tracking for p in parcels}))
            elif refusals:
                states[ref.id], reason = State.FAILING, refusals[0].reason[:300]
            else:
                continue
            moved.append({"order_id": ref.id, "state": states[ref.id], "reason": reason})
        update(Shipment, moved)
    return {id: Plan(state, now[id].parcels if id in now else []) for id, state in states.items()}


@again_if_overtaken
def _pass_the_pivot(refs: Sequence[Ref]) -> dict[UUID, Plan]:
    """From here on nobody stops the orders of which all parcels have labels. Returns the plans as they are then.

    An older version left such orders in the state ``planned``.
    """
    plans = plans_of(refs)
    ready = [
        ref
        for ref in refs
        if ref.id in plans and plans[ref.id].labelled and plans[ref.id].state in BEFORE_THE_PIVOT
    ]
    if len(Shipment.advance(ready, BEFORE_THE_PIVOT, State.HANDING_OVER)) < len(ready):
        raise Overtaken("The order was stopped, or handed over, at the very moment at which it was to leave.")
    return plans | {ref.id: plans[ref.id]._replace(state=State.HANDING_OVER) for ref in ready}


@again_if_overtaken
def _stop(refs: Sequence[Ref]) -> dict[UUID, str]:
    """See to it that the orders which have not left never will. Returns the states they are in then.

    An order without a shipment gets the tombstone at once, and that is all there is to tell of it.
    """
    with recording("shipping") as record:
        stopping = Shipment.advance(refs, BEFORE_THE_PIVOT, State.STOPPING)
        others = [ref for ref in refs if ref.id not in stopping]
        states = Shipment.states(others)
        if any(state in BEFORE_THE_PIVOT for state in states.values()):
            raise Overtaken("Parcels were planned at the very moment at which they were to be stopped.")
        unknown = [ref for ref in others if ref.id not in states]
        Shipment.begin_all([_row(ref, State.STOPPED) for ref in unknown])
        for ref in unknown:
            record.publish(ShippingStopped(ref=ref))
        late = [ref for ref in others if states.get(ref.id) in PAST_THE_PIVOT]
        rows = [{"order_id": ref.id, "refused_cancellation": True} for ref in late]
        told = update(Shipment, rows, only={"refused_cancellation": False}, returning=("order_id",))
        for ref in late:
            if (ref.id,) in told:
                record.publish(CancellationRefused(ref=ref))
    return states | dict.fromkeys(stopping, State.STOPPING) | {ref.id: State.STOPPED for ref in unknown}


def _finish_undo(refs: Sequence[Ref]) -> Outcome:
    """Void all labels of shipments that are failing or stopping, made or still being made; then say so."""
    if not refs:
        return Outcome()
    plans = plans_of(refs)
    undone = {ref: plans[ref.id] for ref in refs if plans[ref.id].state in ONCE_UNDONE}
    outcome = Outcome(done=[ref for ref in refs if ref not in undone])
    unvoided = void_withdrawn({ref.id: plan for ref, plan in undone.items()})
    outcome.faults |= {ref: unvoided[ref.id] for ref in undone if ref.id in unvoided}
    undone = {ref: plan for ref, plan in undone.items() if ref.id not in unvoided}
    for some, answers in as_answered(undone, carrier().void(keys_of(undone))):
        faults = faults_of(some, answers, Voided, "The parcel has left already.")
        outcome.add(Outcome(done=[ref for ref in some if ref not in faults], faults=faults))
        with recording("shipping") as record:
            rows = [
                {"order_id": ref.id, "state": ONCE_UNDONE[State(plan.state)]}
                for ref, plan in some.items()
                if ref not in faults
            ]
            fields = ("order_id", "state", "reason")
            ended = {
                id: row
                for id, *row in update(Shipment, rows, only={"state": tuple(ONCE_UNDONE)}, returning=fields)
            }
            over = {ref: plan for ref, plan in some.items() if ref.id in ended}
            move(over.values(), Parcel.State.VOID)
            for ref in over:
                state, reason = ended[ref.id]
                failed = state == State.FAILED
                void = sum(bool(parcel.tracking) for parcel in some[ref].parcels)
                stopped = ShippingStopped(ref=ref, void=void)
                record.publish(ShippingFailed(ref=ref, reason=reason) if failed else stopped)
    return outcome


def _row(ref: Ref, state: str) -> Row:
    return {"order_id": ref.id, "number": ref.number, "state": state}
