"""Numbers are taken anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orders.tests.conftest import staff  # noqa: F401
from shop.web.control.numbers import shared


@pytest.fixture(autouse=True)
def fresh_numbers() -> Iterator[None]:
    shared.forget()
    yield
    shared.forget()
