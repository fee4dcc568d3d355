"""Each order is one trace, whole, in both styles: over OTLP, from the running shop, whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from orders.models import Order, TimelineEntry
from shop.tools.up.children import Child
from shop.tools.up.ports import free_port
from shop.tools.up.programs import Programs
from shop.web.tracing.spans import LOW, OPERATION_OF, ROOT, told_by
from tests.live import Live
from tests.otlp import Receiver, Taken, receiving

MS = 1_000_000  # ns
WORK = {operation.rpartition(".")[2] for operation in OPERATION_OF.values()}
PERSONAL = ("Ada B", "Byron", "James's", "ada@", "SW1Y", "pm_card")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@contextmanager
def telling(live: Live, receiver: Receiver, data: Path) -> Iterator[Child]:
    """``manage.py metrics``, told to whom the traces go."""
    env = {**live.stack.env, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    child = Child(Programs(env, data).metrics(free_port()))
    try:
        child.start()
        assert child.wait_ready(30), child.output()
        yield child
    finally:
        child.stop()


def is_whole(order: Order, spans: dict[str, Taken]) -> bool:
    told = TimelineEntry.objects.filter(order=order).count()
    return len(spans) == told + 1 and f"{order.uuid.int & LOW:016x}" in spans


def tree(spans: dict[str, Taken]) -> str:
    """The trace for people, and for messages of failing tests."""
    begin = min(span.began for span in spans.values())

    def lines(parent: str, depth: int) -> Iterator[str]:
        for span in sorted((span for span in spans.values() if span.parent == parent), key=lambda s: s.began):
            times = f"{(span.began - begin) / MS:7.0f} +{(span.ended - span.began) / MS:.0f} ms"
            yield f"{times:<17}{'  ' * depth}{span.service} {span.name}{'  ! ' + span.trouble if span.trouble else ''}"
            yield from lines(span.id, depth + 1)

    return "\n".join(lines("", 0))


def test_each_order_is_one_whole_trace_though_a_worker_and_who_tells_it_are_killed(
    live: Live, receiver: Receiver, tmp_path: Path
) -> None:
    skus = live.products()
    with telling(live, receiver, tmp_path) as teller:
        orders = [live.place(style, skus)[0] for style in settings.STYLES]
        refused = [live.place(style, skus, card="declined")[0] for style in settings.STYLES]
        live.stack.kill("worker-payments")
        live.stack.kill("worker-inventory")
        teller.kill()
        live.wait_until_ended([*orders, *refused])
    with telling(live, receiver, tmp_path):
        live.wait_for(
            lambda: all(is_whole(one, receiver.traces()[one.uuid.hex]) for one in (*orders, *refused)),
            lambda: "\n".join(tree(spans) for spans in receiver.traces().values()),
            20,
        )
    traces = receiver.traces()
    numbers = {order.number: order.uuid.hex for order in (*orders, *refused)}
    for trace, spans in traces.items():  # those of other tests' orders may still move
        assert {numbers.get(span.about["shop.order.number"], trace) for span in spans.values()} == {trace}
    for order in orders:
        look_at(traces[order.uuid.hex], order, failed=False)
    for order in refused:
        look_at(traces[order.uuid.hex], order, failed=True)
    rows = TimelineEntry.objects.filter(order__in=[*orders, *refused]).values_list("id", flat=True)
    again = {(f"{span.trace:032x}", f"{span.id:016x}") for span in told_by(min(rows) - 1, max(rows))}
    assert again >= {(trace, id) for trace in numbers.values() for id in traces[trace]}
    assert not [word for body in receiver.bodies for word in PERSONAL if word.encode() in body]


def look_at(spans: dict[str, Taken], order: Order, *, failed: bool) -> None:
    told = tree(spans)
    (root,) = (span for span in spans.values() if not span.parent)
    assert (root.name, root.id) == (ROOT, f"{order.uuid.int & LOW:016x}"), told
    assert {span.parent for span in spans.values()} - {""} <= spans.keys(), told
    others = {"shipping"} if failed else set()  # where nothing was to be done
    assert {span.service for span in spans.values()} == set(settings.SERVICES) - others, told
    assert bool(root.trouble) == failed, told
    for span in spans.values():
        assert root.began <= span.began <= span.ended, told
        assert span.ended <= root.ended or span.name not in WORK, (
            told
        )  # that it stands still may be said too late
        assert not span.parent or spans[span.parent].began <= span.began + MS, told
        assert span.about["shop.order.number"] == order.number
        assert span.about["shop.style"] == order.style
