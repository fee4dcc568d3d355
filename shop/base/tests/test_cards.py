"""What looks like a card's number, and what does not."""

from __future__ import annotations

import time

import pytest

from shop.base.cards import holds_card_number, without_card_numbers

CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4111 - 1111 - 1111-1111",
    "4111 / 1111 / 1111 / 1111",
    "4111---1111---1111---1111",
    "4111_1111_1111_1111",
    "4111111111111111_12/27",
    "378282246310005",
    "3782 822463 10005",
    "6304000000000000",  # Maestro
    "6011000990139424",
    "5555.5555.5555.4444",
    "card 4111111111111111",
    "4111111111111111 12/27 123",
    "4111 1111 1111 1111 12/27",
    "(4111111111111111)",
    "0004111111111111111",
    "\uff14" + "\uff11" * 15,  # as on a Japanese keyboard
]
TOKENS = [
    "pm_card_approved",
    "4111111111111112",  # the last digit is wrong
    "411111111",
    "0000000000000000000",
    "0000 0000 0000 0018",
    "41111111111111111111",  # 20 digits
    "tok_4111_1111_1111_1111",
    "tok_4111111111111111",  # a provider's, whatever is behind it
    "1Nv0FGQ9RKHgCVdK4111111111111111",
    "0b7cbb1c-3f0e-4a55-9d2e-0e4bc5f2a1b7",
    "",
    "invoice 2026-11-26",
]


@pytest.mark.parametrize("text", CARDS)
def test_the_number_of_a_card_is_found_however_it_is_written(text: str) -> None:
    assert holds_card_number(text)
    assert not holds_card_number(without_card_numbers(text))
    assert "1111 1111" not in without_card_numbers(text)


@pytest.mark.parametrize("text", TOKENS)
def test_a_token_is_none(text: str) -> None:
    assert not holds_card_number(text)
    assert without_card_numbers(text) == text


def test_a_long_text_takes_no_long_time() -> None:
    """A form's field may be as large as a body, 512 kB: copying all groups behind each took nine minutes of CPU."""
    text = "1 " * 60_000  # no 12 to 19 ones in a row pass the check
    before = time.process_time()
    assert not holds_card_number(text)
    assert time.process_time() - before < 4
