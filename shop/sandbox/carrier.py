"""The carrier: one label per parcel key, void until the hand-over, and no address in its books."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from pathlib import Path
from typing import Annotated

import msgspec

from shop.sandbox.ledger import Ledger, fingerprint, insert, now
from shop.sandbox.mishaps import OUTAGES, Timing, Underway, reused_key, unavailable
from shop.sandbox.web import MAX_PAGE, Answer, Handler, Problem, Request

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS parcels (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('labelled', 'refused', 'voided', 'handed over')),
    fingerprint TEXT, order_number TEXT NOT NULL, tracking TEXT UNIQUE, reason TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS movements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('label', 'void', 'handover')),
    key TEXT NOT NULL, order_number TEXT NOT NULL, tracking TEXT NOT NULL, at TEXT NOT NULL,
    UNIQUE (key, kind)
);
{OUTAGES}
"""
NOT_SERVED, INCOMPLETE, VOIDED = "address not served", "address incomplete", "voided"

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Line = Annotated[str, msgspec.Meta(max_length=500)]
Keys = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MAX_PAGE)]


class AddressBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Line
    line1: Line
    city: Line
    postcode: Line
    country: Line


class LabelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_number: Text
    warehouse: Text
    address: AddressBody


class VoidBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Text


class HandoverBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Keys


class Carrier:
    def __init__(self, file: Path, timing: Timing) -> None:
        self.ledger = Ledger(file, SCHEMA)
        self._timing = timing
        self._underway = Underway()

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/labels"): self.label,
            ("POST", "/v1/labels/void"): self.void,
            ("POST", "/v1/handovers"): self.hand_over,
            ("GET", "/v1/ledger"): self.movements,
        }

    async def label(self, request: Request) -> Answer:
        key, body = request.idempotency_key(), request.json(LabelBody)
        with self._underway(key):
            slow = body.address.postcode.upper().startswith("SLOW")
            if slow and not self.ledger.has("parcels", key):
                await asyncio.sleep(self._timing.slow_seconds)
            return await self.ledger.write(lambda db: self._label(db, key, body))

    def _label(self, db: sqlite3.Connection, key: str, body: LabelBody) -> Answer:
        postcode, mark = body.address.postcode.upper(), fingerprint(key, msgspec.json.encode(body))
        if postcode.startswith("GARBLED"):
            raise Problem(
                400, "invalid_request", "the address can't be read"
            )  # as long as it is not corrected
        parcel = _parcel(db, key)
        if parcel:
            return _replay(parcel, mark)
        if postcode.startswith("DOWN") and self._timing.down(db, key):
            return unavailable().answer()  # since when it is down must be kept
        _decide(db, key, body, mark)
        parcel = _known(db, key)
        return Answer(*_told(parcel), lost=postcode.startswith("LOST") and parcel["state"] == "labelled")

    async def void(self, request: Request) -> Answer:
        """No parcel leaves under this key, now or later; unless it has left."""
        key = request.json(VoidBody).key
        return await self.ledger.write(lambda db: _void(db, key))

    async def hand_over(self, request: Request) -> Answer:
        """All of these parcels or none."""
        keys = list(dict.fromkeys(request.json(HandoverBody).keys))
        return await self.ledger.write(lambda db: _hand_over(db, keys))

    async def movements(self, request: Request) -> Answer:
        after, limit = request.number("after", 0, 2**62), request.number("limit", MAX_PAGE, MAX_PAGE)
        return Answer(200, {"rows": self.ledger.page(after, limit)})


def _void(db: sqlite3.Connection, key: str) -> Answer:
    parcel = _parcel(db, key)
    if parcel and parcel["state"] == "handed over":
        return Answer(409, {"too_late": True})
    if parcel and parcel["state"] == "voided":
        return Answer(200, {"voided": True})
    if parcel:
        db.execute("UPDATE parcels SET state = 'voided' WHERE key = ?", (key,))
    else:
        insert(db, "parcels", {"key": key, "state": "voided", "order_number": ""})
    _move(db, "void", _known(db, key))
    return Answer(200, {"voided": True})


def _hand_over(db: sqlite3.Connection, keys: list[str]) -> Answer:
    parcels = {key: _parcel(db, key) for key in keys}
    bad = {key: parcel["state"] if parcel else "unknown" for key, parcel in parcels.items()}
    bad = {key: state for key, state in bad.items() if state not in ("labelled", "handed over")}
    if bad:
        named = ", ".join(f"{key} is {state}" for key, state in bad.items())
        error = {"type": "not_handed_over", "message": f"nothing was handed over: {named}"}
        return Answer(409, {"error": error, "keys": bad})
    for parcel in parcels.values():
        if parcel and parcel["state"] == "labelled":
            db.execute("UPDATE parcels SET state = 'handed over' WHERE key = ?", (parcel["key"],))
            _move(db, "handover", parcel)
    return Answer(200, {"handed_over": keys})


def _parcel(db: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM parcels WHERE key = ?", (key,)).fetchone()
    return row


def _known(db: sqlite3.Connection, key: str) -> sqlite3.Row:
    parcel = _parcel(db, key)
    assert parcel is not None  # noqa: S101 (tells mypy; the caller has just written it)
    return parcel


def _told(parcel: sqlite3.Row) -> tuple[int, dict[str, object]]:
    """What holds now: a label that was voided since is not given out again."""
    if parcel["state"] == "voided":
        return 422, {"refused": VOIDED}
    if parcel["state"] == "refused":
        return 422, {"refused": parcel["reason"]}
    return 200, {"tracking": parcel["tracking"]}


def _replay(parcel: sqlite3.Row, mark: str) -> Answer:
    if parcel["fingerprint"] not in (None, mark):  # none: the void came before any label
        raise reused_key()
    return Answer(*_told(parcel))


def _decide(db: sqlite3.Connection, key: str, body: LabelBody, mark: str) -> None:
    parcel: dict[str, object] = {"key": key, "order_number": body.order_number, "fingerprint": mark}
    reason = _refusal(body.address)
    if reason:
        insert(db, "parcels", parcel | {"state": "refused", "reason": reason})
    else:
        tracking = f"SB{secrets.randbelow(10**12):012d}"
        insert(db, "parcels", parcel | {"state": "labelled", "tracking": tracking})
        _move(db, "label", _known(db, key))


def _refusal(address: AddressBody) -> str:
    if not all(line.strip() for line in msgspec.structs.astuple(address)):
        return INCOMPLETE
    return NOT_SERVED if address.postcode.upper().startswith("REFUSE") else ""


def _move(db: sqlite3.Connection, kind: str, parcel: sqlite3.Row) -> None:
    movement = {"kind": kind, "key": parcel["key"], "order_number": parcel["order_number"]}
    insert(db, "movements", movement | {"tracking": parcel["tracking"] or "", "at": now()})
