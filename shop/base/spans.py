"""Lengths of time, in words for people."""

from __future__ import annotations

from datetime import datetime, timedelta


def ago(moment: datetime, now: datetime) -> str:
    return f"{span(now - moment)} ago"


def until(moment: datetime, now: datetime) -> str:
    return f"in {span(moment - now)}" if moment > now else "now"


def offset(length: timedelta) -> str:
    """How long after the beginning, so exact that one step can be told from the next: ``+12 ms``, ``+3 min 4.2 s``,
    ``+2 h 5 min 7 s``, ``+3 d 4 h 5 min``.
    """
    tenths = round(max(length, timedelta(0)).total_seconds() * 10)
    minutes, seconds = divmod(tenths, 600)
    if not minutes:
        return f"+{span(length)}"
    if minutes < 60:
        return f"+{minutes} min {seconds / 10:.1f} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"+{hours} h {minutes} min {seconds // 10} s"
    return f"+{hours // 24:,} d {hours % 24} h {minutes} min"


def span(length: timedelta) -> str:
    """A length of time for people: ``12 ms``, ``1.2 s``, ``3 min 4 s``, ``2 h 5 min``, ``3 d 4 h``."""
    ms = round(max(length, timedelta(0)).total_seconds() * 1000)
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    seconds = ms // 1000
    for unit, size, smaller, part in (("min", 60, "s", 1), ("h", 3600, "min", 60), ("d", 86400, "h", 3600)):
        if seconds < size * (60 if unit == "min" else 24) or unit == "d":
            return f"{seconds // size:,} {unit} {seconds % size // part} {smaller}"
    raise AssertionError("days have no end")
