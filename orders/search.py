"""Which orders somebody means who types a number, an id, a tracking number, a name or an email address."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import BooleanField, Func, QuerySet, Value

from orders.models import Order
from shipping.lookups import Tracked
from shop.base.admin.search import as_uuid, can_be_found
from shop.base.lookups import ask

# The words of an order, as the index order_words has them (orders/migrations): each of the name, and the whole address.
WORDS = (
    "array_to_tsvector(array_remove(string_to_array("
    "translate(lower(name), E'\\t\\u00a0,.-', '     ') || ' ' || lower(email), ' '), ''))"
)
_BETWEEN = re.compile(r"[\s,.\-]+")
MOST_WORDS = 10


class _HasWords(Func):
    template = f"{WORDS} @@ lower(%(expressions)s)::tsquery"
    output_field = BooleanField()


def found(orders: QuerySet[Order], term: str) -> QuerySet[Order]:
    """Those of the orders that the text means; a number or a tracking number means no others."""
    term = term.strip()
    if not can_be_found(term):
        return orders.none()
    if order_id := as_uuid(term):
        return orders.filter(uuid=order_id)
    if term.isascii() and (pk := Order.objects.with_number(term).values_list("pk", flat=True).first()):
        return orders.filter(pk=pk)
    if _may_be_a_tracking_number(term) and (ids := _tracked(term)):
        return orders.filter(uuid__in=ids)
    query = _words(term)
    if not query:
        return orders.none()
    return orders.filter(_HasWords(Value(query)))


def _may_be_a_tracking_number(term: str) -> bool:
    """To look for one takes reading all parcels."""
    return len(term.split()) == 1 and "@" not in term and any(char.isdigit() for char in term)


def _tracked(term: str) -> list[UUID]:
    answers = ask(Tracked, {term, term.upper()})
    return [order_id for tracked in answers.values() for order_id in tracked.order_ids]


def _words(term: str) -> str:
    """All words must be there, in any sequence, each perhaps only begun; as PostgreSQL's tsquery."""
    return " & ".join(filter(None, (_word(word) for word in term.split()[:MOST_WORDS])))


def _word(word: str) -> str:
    """As it stands, as an email address has it; or its parts, as a name has them."""
    parts = " & ".join(_quoted(part) for part in _BETWEEN.split(word) if part)
    return f"({_quoted(word)} | ({parts}))" if parts and parts != _quoted(word) else parts


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}':*"
