"""The result as a picture: two rows of bars, drawn by hand, so that nothing has to be installed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

NAMES, BARS, NUMBERS = 190, 300, 70  # px: widths
LINE, TOP, GAP = 26, 56, 40
PANELS = (
    ("orders per second: more is better", "orders_per_s"),
    ("a lone order's ms to its end: less is better", "idle_p50_ms"),
)
OURS, THEIRS = "#0b6e4f", "#9aa5b1"


def draw(
    path: Path,
    systems: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    ours: Sequence[str],
    under: str,
) -> None:
    """``names``: what is drawn, from the top; ``ours``: in our colour; ``under``: said below the picture."""
    shown = [name for name in names if name in systems]
    panel = BARS + NUMBERS
    width, height = NAMES + len(PANELS) * (panel + GAP), TOP + LINE * len(shown) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    parts += [
        _text(NAMES - 10, _middle(row), name, anchor="end", weight="bold" if name in ours else "normal")
        for row, name in enumerate(shown)
    ]
    for number, (title, key) in enumerate(PANELS):
        left = NAMES + number * (panel + GAP)
        parts.append(_text(left, TOP - 20, title, weight="bold"))
        most = max((systems[name].get(key) or 0.0 for name in shown), default=0.0) or 1.0
        for row, name in enumerate(shown):
            value = systems[name].get(key) or 0.0
            length, colour = BARS * value / most, OURS if name in ours else THEIRS
            parts.append(
                f'<rect x="{left}" y="{TOP + row * LINE}" width="{length:.1f}" height="{LINE - 8}" fill="{colour}"/>'
            )
            parts.append(
                _text(left + length + 6, _middle(row), f"{value:,.4g}" if value < 1000 else f"{value:,.0f}")
            )
    parts += [_text(10, height - 14, under, size=11), "</svg>"]
    path.write_text("\n".join(parts) + "\n")


def _middle(row: int) -> int:
    return TOP + row * LINE + 14


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", size: int = 13
) -> str:
    look = f'text-anchor="{anchor}" font-weight="{weight}" font-size="{size}"'
    return f'<text x="{x:.1f}" y="{y}" {look}>{escape(text)}</text>'
