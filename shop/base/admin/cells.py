"""How a value is shown to people in a list or on a page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from shop.base.money import show

NOTHING = "-"
GOOD, WAIT, BACK, BAD, CALM = "done", "waiting", "undone", "trouble", "calm"  # staff.css has their colours


def money(amount_minor: int, currency: str) -> str:
    """An amount for people; a row that never came to an amount has no currency either."""
    return show(amount_minor, currency) if currency else NOTHING


def toned(tone: str, words: str) -> SafeString:
    """Words in a colour: what is good, waits, is taken back, or is bad."""
    return format_html('<span class="pill {}">{}</span>', tone, words)


def when(moment: datetime | None) -> str:
    """A moment, on one line."""
    if moment is None:
        return NOTHING
    return format_html('<span class="when">{}</span>', in_words(moment))


def in_words(moment: datetime) -> str:
    return str(localize(localtime(moment)))


def shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


class StateColumn:
    """A row's state in words, toned."""

    tones: ClassVar[Mapping[str, str]] = {}

    def words_of(self, row: Any) -> str:
        words = str(dict(row.State.choices).get(row.state, row.state))
        return words[:1].lower() + words[1:]

    @admin.display(description="state", ordering="state")
    def shown_state(self, row: Any) -> str:
        return toned(self.tones.get(row.state, CALM), self.words_of(row))
