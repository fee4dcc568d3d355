"""As much of PromQL as the alerts use, over two scrapes; the expressions are read by a parser of Prometheus' grammar."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import promql_parser as promql
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Scrape = Mapping[str, Vector]  # by metric

COMPARE = {">": operator.gt, "<": operator.lt, "==": operator.eq}
COUNT: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "/": lambda a, b: a / b if b else math.nan
}  # fmt: skip
AGGREGATE: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}


def scraped(text: str) -> Scrape:
    found: dict[str, Vector] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def names_in(expression: str) -> set[str]:
    """The metrics that it reads. Raises ValueError where it is no PromQL."""
    return set(_names(promql.parse(expression)))


def _names(node: Any) -> list[str]:
    if isinstance(node, promql.VectorSelector):
        return [node.name or ""]
    inner = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    inner += list(getattr(node, "args", ()) or ())
    return [name for one in inner if one is not None for name in _names(one)]


class Evaluator:
    """``before`` and ``now`` are ``seconds`` apart: that is all that rate() and increase() have to go by."""

    def __init__(self, before: Scrape, now: Scrape, seconds: float, at: float) -> None:
        self.before, self.now, self.seconds, self.at = before, now, seconds, at

    def of(self, expression: str) -> Vector:
        found = self._value(promql.parse(expression))
        assert isinstance(found, dict)
        return found

    def _value(self, node: Any) -> Any:
        match node:
            case promql.NumberLiteral():
                return float(node.val)
            case promql.ParenExpr():
                return self._value(node.expr)
            case promql.VectorSelector():
                return _chosen(self.now, node)
            case promql.Call():
                return self._call(node)
            case promql.AggregateExpr():
                return _aggregated(node, self._value(node.expr))
            case promql.BinaryExpr():
                return _combined(node, self._value(node.lhs), self._value(node.rhs))
        raise NotImplementedError(f"{node} ({type(node).__name__})")

    def _call(self, node: Any) -> Any:
        name = node.func.name
        if name == "time":
            return self.at
        if name == "absent":
            return {} if self._value(node.args[0]) else {frozenset(): 1.0}
        if name == "histogram_quantile":
            return _quantile(self._value(node.args[0]), self._value(node.args[1]))
        then, now = (_chosen(scrape, node.args[0].vector_selector) for scrape in (self.before, self.now))
        per = {"rate": self.seconds, "increase": 1.0}[name]
        return {labels: (value - then.get(labels, 0.0)) / per for labels, value in now.items()}


def _chosen(scrape: Scrape, node: Any) -> Vector:
    def fits(labels: Labels) -> bool:
        known = dict(labels)
        for matcher in node.matchers.matchers:
            value, regex = known.get(matcher.name, ""), "Re" in str(matcher.op)
            same = bool(re.fullmatch(matcher.value, value)) if regex else value == matcher.value
            if same == ("Not" in str(matcher.op)):
                return False
        return True

    return {labels: value for labels, value in scrape.get(node.name, {}).items() if fits(labels)}


def _aggregated(node: Any, vector: Vector) -> Vector:
    by = set(node.modifier.labels) if node.modifier else set()
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset((k, v) for k, v in labels if k in by), []).append(value)
    return {labels: AGGREGATE[str(node.op)](values) for labels, values in groups.items()}


def _combined(node: Any, left: Any, right: Any) -> Any:
    op, compares = str(node.op), str(node.op) in COMPARE
    on_nothing = str(node.modifier).startswith("on ()")
    if op == "or":
        return {**right, **left}
    if op in ("and", "unless"):
        there = set(left) if on_nothing and right else set() if on_nothing else set(right)
        return {labels: value for labels, value in left.items() if (labels in there) == (op == "and")}
    if isinstance(left, float) and isinstance(right, dict):
        return {labels: COUNT[op](left, value) for labels, value in right.items()}
    pairs = [
        (labels, value, right if isinstance(right, float) else right.get(labels))
        for labels, value in left.items()
    ]
    if compares:
        return {labels: a for labels, a, b in pairs if b is not None and COMPARE[op](a, b)}
    return {labels: COUNT[op](a, b) for labels, a, b in pairs if b is not None}


def _quantile(wanted: float, vector: Vector) -> Vector:
    """The upper bound of the bucket that it is in: Prometheus goes on to guess where in it."""
    series: dict[Labels, list[tuple[float, float]]] = {}
    for labels, value in vector.items():
        bound = float(dict(labels)["le"])
        series.setdefault(frozenset(pair for pair in labels if pair[0] != "le"), []).append((bound, value))
    found = {}
    for labels, buckets in series.items():
        buckets.sort()
        if total := buckets[-1][1]:
            found[labels] = next(bound for bound, count in buckets if count >= wanted * total)
    return found
