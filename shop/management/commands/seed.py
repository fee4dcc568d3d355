"""``manage.py seed``: a demo catalogue with stock in two warehouses, roles, people, a customer. Again is harmless."""

from __future__ import annotations

import json
import os
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import F
from knox.models import AuthToken

from inventory.models import Product, Stock, Warehouse
from inventory.services import Delivery, receive_stock
from shop.base.databases import alias_of
from shop.base.roles import Role, make_roles

NORTH, SOUTH = "NORTH", "SOUTH"
WAREHOUSES = {NORTH: "Leeds", SOUTH: "Southampton"}
# SKU: name, price in pence, and which warehouses keep it. What is kept in one only makes an order of two parcels.
CATALOGUE: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "MUG-RED": ("Mug, red", 850, (NORTH,)),
    "MUG-BLUE": ("Mug, blue", 850, (NORTH, SOUTH)),
    "TEAPOT": ("Teapot, 1.2 l", 2_450, (NORTH,)),
    "TEA-EARL": ("Earl Grey, 125 g", 590, (NORTH, SOUTH)),
    "TEA-MINT": ("Peppermint tea, 40 g", 420, (SOUTH,)),
    "LAMP-DESK": ("Desk lamp", 3_995, (SOUTH,)),
    "LAMP-NIGHT": ("Night light, owl", 1_295, (NORTH, SOUTH)),
    "BAG-JUTE": ("Jute shopping bag", 395, (NORTH, SOUTH)),
    "BOX-TIN": ("Cake tins, set of 3", 1_650, (NORTH,)),
    "CLOCK-WALL": ("Wall clock", 2_995, (SOUTH,)),
    "CARDS-12": ("Greeting cards, 12", 725, (NORTH, SOUTH)),
    "HEART-T": ("White hanging heart t-light holder", 295, (NORTH, SOUTH)),
}
ADMIN, CUSTOMER = Role.ADMIN.value, "demo"
STOCK = 5_000  # free units of each in each of its warehouses, after every seeding


class Command(BaseCommand):
    help = (
        "Make the demo catalogue and stock, the roles viewer, operator and admin, the user admin and the customer demo "
        "(passwords: SEED_ADMIN_PASSWORD, SEED_DEMO_PASSWORD), and somebody in each other role whose password is set "
        "(SEED_OPERATOR_PASSWORD, SEED_VIEWER_PASSWORD). Prints what it made as JSON. Running it again adds only what is "
        "missing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        fill_shelves()
        make_roles()
        created = [name for name in (ADMIN, CUSTOMER) if _make_user(name)]
        created += [role.value for role in Role if os.environ.get(_variable(role)) and _make_user(role.value)]
        token = _make_token() if CUSTOMER in created else None
        self.stdout.write(json.dumps({"created": created, "token": token}))


def fill_shelves() -> None:
    """Prices and names that somebody changed stay; stock is filled up."""
    with transaction.atomic(using=alias_of("inventory")):
        Warehouse.objects.bulk_create(
            (Warehouse(code=code, name=name) for code, name in WAREHOUSES.items()), ignore_conflicts=True
        )
        Product.objects.bulk_create(
            (Product(sku=sku, name=name, price_minor=price) for sku, (name, price, _) in CATALOGUE.items()),
            ignore_conflicts=True,
        )
        rows = Stock.objects.filter(product__sku__in=CATALOGUE).values_list("product__sku", "warehouse__code")
        free = {(sku, code): units for sku, code, units in rows.annotate(units=F("on_hand") - F("reserved"))}
        missing = [
            Delivery(sku, code, STOCK - free.get((sku, code), 0))
            for sku, (_, _, codes) in CATALOGUE.items()
            for code in codes
            if free.get((sku, code), 0) < STOCK
        ]
        if missing:
            receive_stock(missing, note="demo stock")


def _make_user(name: str) -> bool:
    """False when there is such a user already: a password somebody chose is never overwritten."""
    if User.objects.filter(username=name).exists():
        return False
    password = os.environ.get(_variable(name))
    if not password:
        raise CommandError(f"Set {_variable(name)}: the password of the user {name}, who is to be made.")
    with transaction.atomic():
        make = User.objects.create_superuser if name == ADMIN else User.objects.create_user
        user = make(name, f"{name}@example.com", password, is_staff=name in list(Role))
        user.groups.add(*Group.objects.filter(name=name))
    return True


def _variable(name: str) -> str:
    return f"SEED_{name.upper()}_PASSWORD"


def _make_token() -> str:
    _row, token = AuthToken.objects.create(User.objects.get(username=CUSTOMER))
    return str(token)
