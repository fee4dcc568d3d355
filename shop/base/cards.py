"""Numbers of payment cards: the shop wants none of them, neither stored nor logged nor said again."""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST, LONGEST = 12, 19  # digits, ISO/IEC 7812
LEAST = 10 ** (SHORTEST - 1)  # none begins with a nought: many noughts pass the check, and are none
# Groups of digits with one to three characters between them; no letter before or after: that is a token of a provider's.
_GROUPS = re.compile(r"(?<!\w)\d+(?:(?:[^\w\n]|_){1,3}\d+)*(?!\w)")
_GROUP = re.compile(r"\d+")
_DIGIT = re.compile(r"\d")
LONGEST_SHOWN = 254  # as long as any text of an order may be: a mail address


def holds_card_number(text: str) -> bool:
    return any(_found(text))


def to_show_again(entered: str) -> str:
    """What was entered, for its form; nothing of what is too long to be looked through, or holds a card's number."""
    return "" if len(entered) > LONGEST_SHOWN or holds_card_number(entered) else entered


def without_card_numbers(text: str) -> str:
    for found in list(_found(text)):
        text = text.replace(found, "(a card's number)")
    return text


def _found(text: str) -> Iterator[str]:
    """Whole groups side by side that make up a number: of "4111 1111 1111 1111 12/27" the first four."""
    if len(_DIGIT.findall(text)) < SHORTEST:
        return
    for run in _GROUPS.finditer(text):
        groups = list(_GROUP.finditer(text, *run.span()))
        for first in range(len(groups)):
            digits = ""
            for group in groups[first : first + LONGEST]:  # each has a digit at least
                digits += group[0]
                if len(digits) > LONGEST:
                    break
                if int(digits) >= LEAST and _adds_up(digits):
                    yield text[groups[first].start() : group.end()]
                    break


def _adds_up(digits: str) -> bool:
    """Luhn's check: of all numbers every tenth passes, and each that is on a card."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        total += sum(divmod(digit * 2, 10)) if place % 2 else digit
    return total % 10 == 0
