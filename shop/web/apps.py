"""Which site the admin is."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class ShopAdmin(AdminConfig):
    default_site = "shop.web.control.site.ShopSite"

    def ready(self) -> None:
        from shop.web import guesses, sessions  # they need the models

        super().ready()
        guesses.listen()
        sessions.listen()
