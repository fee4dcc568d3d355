"""The link of a mail: whose order it shows, and that nobody can make one up."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shop.base.tracking import order_of, token_of


def test_a_token_leads_to_its_order_however_old_it_is_and_after_the_key_was_changed(settings: Any) -> None:
    order_id = uuid4()
    token = token_of(order_id)
    assert order_of(token) == order_id
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert order_of(token) == order_id
    settings.SECRET_KEY_FALLBACKS = []
    assert order_of(token) is None


@pytest.mark.parametrize(
    "token",
    ["", ".", "x", uuid4().hex, f"{uuid4().hex}.forged", token_of(uuid4())[:-1]],
    ids=["nothing", "no order", "no id", "not signed", "forged", "cut off"],
)
def test_what_nobody_signed_leads_nowhere(token: str) -> None:
    assert order_of(token) is None
