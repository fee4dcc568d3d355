"""What the carrier answers, parcel by parcel, as the answers of orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from shipping.carrier import Label
from shipping.models import Parcel
from shipping.plans import Plan
from shop.messaging.events import Ref
from shop.messaging.outcomes import Fault

Answers = Mapping[str, object]  # by the parcels' keys; a fault is one, too


def keys_of(plans: Mapping[Ref, Plan]) -> list[str]:
    return [parcel.key for plan in plans.values() for parcel in plan.parcels]


def with_labels(plan: Plan, answers: Answers) -> Plan:
    """The plan with the labels that are among the answers."""
    parcels = [
        parcel._replace(state=Parcel.State.LABELLED, tracking=answer.tracking)
        if isinstance(answer := answers.get(parcel.key), Label)
        else parcel
        for parcel in plan.parcels
    ]
    return plan._replace(parcels=parcels)


def as_answered(
    plans: Mapping[Ref, Plan], groups: Iterable[Answers]
) -> Iterator[tuple[dict[Ref, Plan], Answers]]:
    """The orders in groups, each as soon as all its parcels have an answer; with all answers until then.

    At the end, those of which the carrier has left out a parcel.
    """
    left, answers = dict(plans), dict[str, object]()
    for group in groups:
        answers |= group
        whole = {ref: plan for ref, plan in left.items() if answers.keys() >= {p.key for p in plan.parcels}}
        for ref in whole:
            del left[ref]
        if whole:
            yield whole, answers
    if left:
        yield left, answers


def faults_of(
    plans: Mapping[Ref, Plan], answers: Answers, wanted: type[object], otherwise: str
) -> dict[Ref, Exception]:
    """What went wrong for each order of which not every parcel has got the wanted answer."""
    found: dict[Ref, Exception] = {}
    for ref, plan in plans.items():
        others = [answer for p in plan.parcels if not isinstance(answer := answers.get(p.key), wanted)]
        if others:
            found[ref] = fault_of(others[0], otherwise)
    return found


def fault_of(answer: object, otherwise: str) -> Fault:
    return answer if isinstance(answer, Fault) else Fault(otherwise)
