"""Broken promises, planted one at a time into a shop that keeps them, each with the sentences that must name it.

Each module plants what the audit's module of the same name finds.
"""

from shop.tools.audit.tests.planted import agreement, endings, mails, money, parcels, stock
from shop.tools.audit.tests.planted.world import PLANTED, Plant, World

__all__ = ["PLANTED", "Plant", "World", "agreement", "endings", "mails", "money", "parcels", "stock"]
