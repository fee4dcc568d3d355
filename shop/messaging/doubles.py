"""Copies of a message that a broker, or whoever got at it, has made: the worker that has handled one lets the others go.

Nothing depends on it: whatever is handled twice finds its work done. But that costs as much as the work, and a flood of
copies would keep a shop busy for long. What is sent again on purpose has another id.
"""

from __future__ import annotations

KNOWN = 20_000  # messages, the latest that this process has handled

_open: dict[str, int] = {}  # received, with a hash of what it says: another message may bear the same id
_done: dict[str, int] = {}


def is_copy(id: str, body: bytes) -> bool:
    """Whether this process has handled this very message; else it is about to."""
    says = hash(body)
    if _done.get(id) == says:
        return True
    _keep(_open, id, says)
    return False


def handled(id: str) -> None:
    """This process has handled the message it received under this id, without an error, its result included."""
    says = _open.pop(id, None)
    if says is not None:
        _keep(_done, id, says)


def not_handled(id: str) -> None:
    """This message is of no use: each copy is counted."""
    _open.pop(id, None)


def _keep(known: dict[str, int], id: str, says: int) -> None:
    known[id] = says
    if len(known) > KNOWN:
        del known[next(iter(known))]
