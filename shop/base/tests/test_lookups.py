"""What apps ask of each other."""

from __future__ import annotations

import pytest

from shop.base import lookups


class Row:
    """Nobody answers for it."""


def test_asking_what_nobody_answers_says_so() -> None:
    with pytest.raises(LookupError, match="No app answers for Row"):
        lookups.ask(Row, [1])
