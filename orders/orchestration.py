"""The score: how an order is fulfilled, and undone, when the style is orchestration.

The steps and their undos stand in ``orders/process.py``; here they are played. Every link of a chain is a command: a
service's operation, called by its published name with a set of orders. It hands on those that went well; a refused or
broken order leaves the set. The chain is only a hint to hurry: how far an order is stands in its saga row, kept from the
events the services publish, and a saga that stalls is played on from there.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from celery import Signature, chain, chord

from inventory.lookups import StockWarehouses
from orders.events import OrderCreated, OrderStalled
from orders.models import Saga
from orders.process import (
    BEFORE_THE_PIVOT,
    FORWARD,
    PER_WAREHOUSE,
    REFUSED_BY,
    UNDONE_BY,
    WISH,
    Move,
    still_to_do,
)
from orders.saga import KNOWN
from shipping.events import CancellationRefused
from shop.base.lookups import ask
from shop.messaging.commands import call, link
from shop.messaging.events import Event, Ref, refs_of
from shop.messaging.when import when

STYLE = "orchestration"


@when(OrderCreated, style=STYLE, only_sends=True)
def begin(events: Sequence[OrderCreated]) -> None:
    play(FORWARD[0], refs_of(events))


@when(WISH, *REFUSED_BY, style=STYLE, only_sends=True)
def turn_back(events: Sequence[Event]) -> None:
    for position, refs in grouped((UNDONE_BY[type(event)], event.ref) for event in events):
        play(position, refs)


@when(CancellationRefused, style=STYLE, only_sends=True)
def go_on(events: Sequence[CancellationRefused]) -> None:
    play(BEFORE_THE_PIVOT, refs_of(events))


@when(OrderStalled, style=STYLE, only_sends=True)
def play_on(events: Sequence[OrderStalled]) -> None:
    """From the saga rows alone, whatever became of earlier chains: each command finds for itself what is done."""
    sagas = Saga.objects.select_related("order").filter(order__uuid__in=[event.ref.id for event in events])
    running = sagas.filter(KNOWN, state=Saga.State.RUNNING)
    for position, refs in grouped((saga.position, saga.order.ref) for saga in running):
        play(position, refs)


def play(position: str, refs: Sequence[Ref]) -> None:
    """Whatever is left to do for orders that stand there, forward or backward."""
    chain(*links(still_to_do(position), refs)).apply_async()


def links(moves: Sequence[Move], refs: Sequence[Ref], *, given: bool = True) -> list[Signature]:
    """These moves as links of a chain: the first is told its orders (``given``), each other gets them from the last."""
    names: list[str] = []
    for move in moves:
        names += [label_parcels.name, move.operation] if move is PER_WAREHOUSE else [move.operation]
    return [call(name, refs, given=given and not index) for index, name in enumerate(names)]


@link("orders.label_parcels")
def label_parcels(refs: Sequence[Ref]) -> Sequence[Ref]:
    """Where orders leave from several warehouses, a chord: each warehouse's parcels are labelled, then all are handed
    over. With one warehouse an order the chain will do, and goes on.
    """
    stock = ask(StockWarehouses, [ref.id for ref in refs])
    if all(len(found.codes) == 1 for found in stock.values()):
        return refs
    warehouses = grouped((code, ref) for ref in refs if ref.id in stock for code in stock[ref.id].codes)
    labels = [call(PER_WAREHOUSE.operation, some, code, joined=True) for code, some in warehouses]
    chord(labels, chain(*links(still_to_do(PER_WAREHOUSE.position), refs))).apply_async()
    return ()


def grouped(items: Iterable[tuple[str, Ref]]) -> list[tuple[str, list[Ref]]]:
    groups: dict[str, list[Ref]] = defaultdict(list)
    for key, ref in items:
        groups[key].append(ref)
    return sorted(groups.items())
