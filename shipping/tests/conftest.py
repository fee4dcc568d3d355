from __future__ import annotations

from typing import Any

import pytest

from inventory.services import reserve_stock


@pytest.fixture
def paid(place_order: Any, outside: Any) -> Any:
    """An order whose stock is set aside in two warehouses."""

    def pay(**placing: Any) -> Any:
        ref = place_order(**placing)
        reserve_stock([ref])
        return ref

    return pay
