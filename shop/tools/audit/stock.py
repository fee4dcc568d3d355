"""Stock is conserved, and every order has exactly its units."""

from __future__ import annotations

from collections.abc import Iterator

from inventory.models import Stock
from shop.tools.audit.cases import Case
from shop.tools.audit.findings import Promise, Report, Violation
from shop.tools.audit.sql import rows

# Every stock row against what came in, left and is set aside: one statement, so one moment.
STOCK = """
    SELECT p.sku, w.code, s.on_hand, s.reserved, coalesce(r.came, 0), coalesce(l.gone, 0), coalesce(l.held, 0)
    FROM inventory_stock s
    JOIN inventory_product p ON p.id = s.product_id
    JOIN inventory_warehouse w ON w.id = s.warehouse_id
    LEFT JOIN (SELECT stock_id, sum(quantity) AS came FROM inventory_receipt GROUP BY 1) r ON r.stock_id = s.id
    LEFT JOIN (
        SELECT l.stock_id, sum(l.quantity) FILTER (WHERE r.state = 'departed') AS gone,
            sum(l.quantity) FILTER (WHERE r.state = 'reserved') AS held
        FROM inventory_reservationline l JOIN inventory_reservation r ON r.order_id = l.reservation_id GROUP BY 1
    ) l ON l.stock_id = s.id
    ORDER BY p.sku, w.code
"""


def check_order(case: Case) -> Iterator[str]:
    if case.completed and case.reservation and case.ordered != case.set_aside:
        given, ordered = set(case.set_aside.split(", ")), set(case.ordered.split(", "))
        got, wanted = ", ".join(sorted(given - ordered)), ", ".join(sorted(ordered - given))
        yield f"{case.number} was given {got or 'nothing'} instead of {wanted or 'nothing'}."


def check_rows(report: Report) -> None:
    for sku, warehouse, on_hand, reserved, came, left, held in rows(Stock, STOCK):
        report.checked[Promise.STOCK]["stock rows"] += 1
        for wrong in _wrong(on_hand, reserved, came, left, held):
            report.violations.append(Violation(Promise.STOCK, f"Stock of {sku} in {warehouse}: {wrong}."))


def _wrong(on_hand: int, reserved: int, came: int, left: int, held: int) -> Iterator[str]:
    if on_hand != came - left:
        yield f"{on_hand:,} on hand, though {came:,} came in and {left:,} left"
    if reserved != held:
        yield f"{reserved:,} reserved, though orders hold {held:,}"
    if not 0 <= reserved <= on_hand:
        yield f"{reserved:,} reserved of {on_hand:,} on hand"
