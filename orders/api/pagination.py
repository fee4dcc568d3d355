"""How many orders, and entries of a timeline, are sent at once, and in which sequence."""

from orders.api.examples import ID
from shop.base.api.pages import Pages


class OrderPages(Pages):
    """The newest first."""

    ordering = ("-placed_at", "-id")


class TimelinePages(Pages):
    """As it happened. A page holds the whole timeline of most orders."""

    ordering = ("at", "id")
    shown_at = f"orders/{ID}/timeline/"
    page_size = 200
    max_page_size = 500
