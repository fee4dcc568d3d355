"""How many orders, and entries of a timeline, are sent at once, and in which sequence."""

from shop.base.api.pages import Pages


class OrderPages(Pages):
    """The newest first."""

    ordering = ("-placed_at", "-id")


class TimelinePages(Pages):
    """As it happened. A page holds the whole timeline of most orders."""

    ordering = ("at", "id")
    page_size = 200
    max_page_size = 500
    page_size_query_description = f"How many at once, 1 to {max_page_size}; {page_size} if not given."
