"""What is planted into, and the list of what is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections
from django.db.models import Model

from orders.models import Order
from shop.messaging.tables import database_of

Plant = Callable[["World"], list[str]]
PLANTED: list[Plant] = []


def planted(plant: Plant) -> Plant:
    PLANTED.append(plant)
    return plant


@dataclass
class World:
    """A shop in which every promise is kept: one order of each kind."""

    completed: Order
    cancelled: Order
    running: Order


def without_constraint(model: type[Model], name: str) -> None:
    """The database refuses what is planted next; the test's transaction brings the constraint back."""
    with connections[database_of(model)].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {name}")
