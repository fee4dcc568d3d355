"""How the orders of a dump come to their moments: sessions of a running shop, each ended by SIGKILL.

The messages of a session are lost with its broker prefix, and what would be tried again is put off: so what one session
has reached stands still in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.upgrade.database import break_rows, make_due, mend_rows, put_off
from tests.upgrade.moments import AT_THE_END, PARKED
from tests.upgrade.placing import Orders, take_stock_in
from tests.upgrade.running import RELAY, Running, running

PATIENT = {"MESSAGING_RESEND_AFTER": "60", "SAGA_DEADLINE": "120", "RETRY_FIRST": "60"}
IMPATIENT = {"MESSAGING_RESEND_AFTER": "1", "SAGA_DEADLINE": "5", "RETRY_FIRST": "0.1", "RETRY_ATTEMPTS": "2"}
SOON_STALLED = PATIENT | {"SAGA_DEADLINE": "1"}

BEFORE_THE_PARCELS = ("not reserved", "provider down", "failure not noted", "progress not noted")
AT_THE_PARCELS = ("carrier down", "half labelled", "refusal broke off", "mail not noted", "not completed")
BROKEN = (*BEFORE_THE_PARCELS, *AT_THE_PARCELS, "not released", "not cancelled")
SOON_TRIED_AGAIN = ("labelled", "handing over", "refunding")  # whatever RETRY_FIRST says


def play(database_url: str, folder: Path) -> None:
    """Bring the orders of all moments to them. The ledgers are kept in the folder."""
    orders = Orders(database_url, folder)

    @contextmanager
    def session(name: str, levers: Mapping[str, str] = PATIENT) -> Iterator[Running]:
        own = {"REDIS_PREFIX": f"{name}:", "SANDBOX_DOWN_SECONDS": "3600", "SANDBOX_SLOW_SECONDS": "2"}
        with running({**levers, **own}, folder) as shop:
            yield shop
            shop.crash()
        put_off(database_url)

    take_stock_in()
    break_rows(database_url)

    with session("ends", IMPATIENT):
        orders.place(*PARKED, *AT_THE_END)
        orders.reach(*PARKED, *AT_THE_END)

    with session("no inventory") as shop:
        shop.halt("payments")
        reserved = ("refunded", "card declined", "not turned back")
        orders.place(*reserved)
        orders.until(*reserved, step="reserved", untold=None)
        shop.halt("inventory")
        stopped = ("placed", "not begun", "undone first")
        orders.place(*stopped)
        orders.reach("placed", "not begun")
        orders.cancel("undone first")
        orders.cancel("refunded")
        shop.go_on("payments")
        orders.reach(*reserved, *stopped)
        orders.confirm(*reserved, *stopped)

    with session("orders behind inventory") as shop:
        shop.halt("inventory")
        behind = ("reserved, untold", "out of stock, untold")
        orders.place(*behind)
        orders.until(*behind, untold=None)
        shop.halt("orders", "payments")
        shop.go_on("inventory")
        orders.reach(*behind)
        orders.confirm(*behind)

    with session("no payments") as shop:
        shop.halt("payments")
        orders.place("reserved", "stopped")
        orders.until("reserved", "stopped", step="reserved", untold=None)
        orders.cancel("stopped")
        orders.reach("reserved", "stopped")
        orders.confirm("reserved", "stopped")

    with session("stalled", SOON_STALLED) as shop:
        shop.halt("payments")
        orders.place("stalled")
        orders.reach("stalled")

    with session("orders behind payments") as shop:
        shop.halt("payments")
        behind = ("charged, untold", "released, untold")
        orders.place(*behind)
        orders.until(*behind, step="reserved", untold=None)
        orders.cancel("released, untold")
        orders.until("released, untold", undo="stopped", untold=None)
        shop.halt("orders", "shipping")
        shop.go_on("payments")
        orders.reach(*behind)
        orders.confirm(*behind)

    with session("no shipping") as shop:
        shop.halt("shipping")
        orders.place("paid", "requested")
        orders.until("paid", "requested", step="paid", untold=None)
        orders.cancel("requested")
        orders.reach("paid", "requested")
        orders.confirm("paid", "requested")

    with session("nothing departs") as shop:
        shop.halt("shipping")
        paid = ("not departed", "confirmed, not departed", "address refused")
        orders.place(*paid)
        orders.until(*paid, step="paid", untold=None)
        shop.halt("inventory", "payments")
        shop.go_on("shipping")
        orders.reach(*paid)
        orders.confirm(*paid)

    with session("orders behind shipping") as shop:
        behind = ("handed over, untold", "overtaken")
        shop.halt("shipping")
        orders.place(*behind, styles=["orchestration"])
        orders.until(*behind, styles=["orchestration"], step="paid", untold=None)
        shop.halt("notifications")
        shop.go_on("shipping")
        orders.until(*behind, styles=["orchestration"], parcels="labelled planned")  # the chord has begun
        shop.halt("orders")
        orders.place(*behind, styles=["choreography"])  # which needs orders for nothing up to here
        orders.reach("handed over, untold")
        orders.until("overtaken", shipment="handed_over", stock="departed")
        orders.cancel("overtaken")
        orders.reach("overtaken")

    with session("no notifications") as shop:
        shop.halt("notifications")
        orders.place("shipped", "cancelled, customer not told")
        orders.reach("shipped", "cancelled, customer not told")
        orders.confirm("shipped", "cancelled, customer not told")

    with session("orders behind notifications") as shop:
        behind = ("confirmed, untold", "customer told, untold")
        shop.halt("notifications")
        orders.place(*behind)
        orders.until("confirmed, untold", status="shipped", stock="departed", untold=None)
        orders.until("customer told, untold", undo="cancelled", untold=None)
        orders.confirm(*behind)
        shop.halt("orders")
        shop.go_on("notifications")
        orders.reach(*behind)

    with session("faults"):
        orders.place(*BROKEN)
        orders.reach(*BROKEN)
        orders.place(*SOON_TRIED_AGAIN, "requested, unsent", "not stopped")
        orders.reach(*SOON_TRIED_AGAIN)
        orders.until("requested, unsent", "not stopped", broke="shipping.hand_over", untold=None)
        orders.cancel("not stopped")
        orders.reach("not stopped")

    with session("unsent") as shop:
        orders.place("answer lost")
        orders.reach("answer lost")
        shop.halt("orders", "inventory")
        orders.place("sent")
        orders.reach("sent")
        shop.halt(RELAY)
        orders.place("unsent")
        orders.cancel("requested, unsent")
        orders.reach("unsent", "requested, unsent")

    mend_rows(database_url)
    make_due(database_url)
