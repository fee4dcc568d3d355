"""The payment provider: charges cards once per key, refunds, and keeps the books."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from pathlib import Path
from typing import Annotated

import msgspec

from shop.sandbox.ledger import Ledger, insert, now
from shop.sandbox.mishaps import OUTAGES, Timing, Underway, reused_key, unavailable
from shop.sandbox.web import MAX_PAGE, Answer, Handler, Request

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS charges (
    key TEXT PRIMARY KEY, order_number TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    method TEXT NOT NULL, reference TEXT, code TEXT, message TEXT,
    CHECK ((reference IS NULL) <> (code IS NULL))
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settlements (
    charge_key TEXT PRIMARY KEY, reference TEXT NOT NULL, amount_minor INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refunds (
    key TEXT PRIMARY KEY, charge_key TEXT NOT NULL REFERENCES settlements
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, charge_key TEXT NOT NULL,
    order_number TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, at TEXT NOT NULL,
    CHECK (kind = 'charge' AND amount_minor > 0 OR kind = 'refund' AND amount_minor < 0
           OR kind = 'void' AND amount_minor = 0)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_charge_per_key ON movements (charge_key) WHERE kind = 'charge';
CREATE UNIQUE INDEX IF NOT EXISTS one_settlement_per_charge ON movements (charge_key) WHERE kind <> 'charge';
{OUTAGES}
"""
SLOW, LOST, DOWN = "pm_card_slow", "pm_card_answer_lost", "pm_card_provider_down"
APPROVED = {"pm_card_approved", SLOW, LOST, DOWN}
DECLINED = {
    "pm_card_declined": ("card_declined", "The card was declined."),
    "pm_card_insufficient_funds": ("insufficient_funds", "The card has insufficient funds."),
}
UNKNOWN = ("invalid_payment_method", "The payment method is not known.")
VOIDED = ("voided", "The charge was voided before it was made.")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class ChargeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    method: Text
    order_number: Text


class RefundBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    charge_key: Text


class Payments:
    def __init__(self, file: Path, timing: Timing) -> None:
        self.ledger = Ledger(file, SCHEMA)
        self._timing = timing
        self._underway = Underway()

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/charges"): self.charge,
            ("POST", "/v1/refunds"): self.refund,
            ("GET", "/v1/ledger"): self.movements,
        }

    async def charge(self, request: Request) -> Answer:
        key, body = request.idempotency_key(), request.json(ChargeBody)
        with self._underway(key):
            if body.method == SLOW and not self.ledger.has("charges", key):
                await asyncio.sleep(self._timing.slow_seconds)
            return await self.ledger.write(lambda db: self._charge(db, key, body))

    def _charge(self, db: sqlite3.Connection, key: str, body: ChargeBody) -> Answer:
        stored = _charge(db, key)
        if stored:
            return _replay(stored, body)
        if body.method == DOWN and self._timing.down(db, key):
            return unavailable().answer()  # since when it is down must be kept
        _decide(db, key, body)
        stored = _charge(db, key)
        assert stored is not None  # noqa: S101 (tells mypy; decided above)
        return Answer(*_told(stored), lost=body.method == LOST and stored["reference"] is not None)

    async def refund(self, request: Request) -> Answer:
        """Settles a charge key for good: gives back what it charged, or sees to it that it never charges."""
        key, body = request.idempotency_key(), request.json(RefundBody)
        return await self.ledger.write(lambda db: _refund(db, key, body.charge_key))

    async def movements(self, request: Request) -> Answer:
        """Charges count up, refunds count down: the sum is what the shop holds. A void moves nothing."""
        after, limit = request.number("after", 0, 2**62), request.number("limit", MAX_PAGE, MAX_PAGE)
        return Answer(200, {"rows": self.ledger.page(after, limit)})


def _charge(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM charges WHERE key = ?", (key,)).fetchone()
    return row


def _settlement(db: sqlite3.Connection, charge_key: str) -> sqlite3.Row | None:
    query = "SELECT * FROM settlements WHERE charge_key = ?"
    row: sqlite3.Row | None = db.execute(query, (charge_key,)).fetchone()
    return row


def _told(charge: sqlite3.Row) -> tuple[int, dict[str, object]]:
    if charge["reference"] is not None:
        return 200, {"id": charge["reference"], "status": "approved"}
    return 402, {"status": "declined", "code": charge["code"], "message": charge["message"]}


def _replay(charge: sqlite3.Row, body: ChargeBody) -> Answer:
    if any(charge[name] != value for name, value in msgspec.structs.asdict(body).items()):
        raise reused_key()
    return Answer(*_told(charge))


def _decide(db: sqlite3.Connection, key: str, body: ChargeBody) -> None:
    """Approve or decline. Looks for a void in the same transaction, so that none can slip in between."""
    outcome: dict[str, object]
    if _settlement(db, key):
        outcome = dict(zip(("code", "message"), VOIDED, strict=True))
    elif body.method not in APPROVED:
        outcome = dict(zip(("code", "message"), DECLINED.get(body.method, UNKNOWN), strict=True))
    else:
        outcome = {"reference": f"ch_{secrets.token_hex(12)}"}
        _move(db, "charge", key, key, body.order_number, body.amount_minor, body.currency)
    insert(db, "charges", {"key": key, **msgspec.structs.asdict(body), **outcome})


def _refund(db: sqlite3.Connection, key: str, charge_key: str) -> Answer:
    earlier = db.execute("SELECT charge_key FROM refunds WHERE key = ?", (key,)).fetchone()
    if earlier and earlier["charge_key"] != charge_key:
        raise reused_key()
    settlement = _settlement(db, charge_key) or _settle(db, key, charge_key)
    if not earlier:
        insert(db, "refunds", {"key": key, "charge_key": charge_key})
    return Answer(200, {"id": settlement["reference"], "amount_minor": settlement["amount_minor"]})


def _settle(db: sqlite3.Connection, key: str, charge_key: str) -> sqlite3.Row:
    charge = _charge(db, charge_key)
    number, currency = (charge["order_number"], charge["currency"]) if charge else ("", "")
    amount = charge["amount_minor"] if charge and charge["reference"] is not None else 0
    reference = f"re_{secrets.token_hex(12)}"
    insert(db, "settlements", {"charge_key": charge_key, "reference": reference, "amount_minor": amount})
    _move(db, "refund" if amount else "void", key, charge_key, number, -amount, currency)
    settled = _settlement(db, charge_key)
    assert settled is not None  # noqa: S101 (tells mypy; inserted above)
    return settled


def _move(
    db: sqlite3.Connection, kind: str, key: str, charge_key: str, number: str, amount: int, currency: str
) -> None:
    movement = {"kind": kind, "key": key, "charge_key": charge_key, "order_number": number}
    insert(db, "movements", movement | {"amount_minor": amount, "currency": currency, "at": now()})
