"""The admin's site: it begins with the control room, and its lists are grouped by what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse

from shop.base.admin.links import may_view
from shop.web.control import home
from shop.web.control.numbers import Numbers, shared
from shop.web.control.page import Viewer, rooms
from shop.web.control.services import open_in
from shop.web.guesses import SaysHowLong, told


class LogInForm(SaysHowLong, AdminAuthenticationForm):
    """Django's, which says so when there were too many attempts."""


class ShopSite(AdminSite):
    site_header = "Shop"
    site_title = "Shop"
    index_title = "Control room"
    enable_nav_sidebar = False  # it takes a quarter of a list's width
    login_form = LogInForm
    index_template = "admin/shop/control/page.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return told(request, super().login(request, extra_context))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        groups = self.get_app_list(request)
        numbers = shared.now() if groups else Numbers()
        behind: list[Any] = next(
            (group["models"] for group in groups if group["name"] == home.BEHIND_THE_SCENES), []
        )
        viewer = Viewer(request)
        context: dict[str, Any] = {
            "groups": [group for group in groups if group["name"] != home.BEHIND_THE_SCENES],
            "behind": [
                (
                    service,
                    [(model, open_in(viewer, numbers, service, model["object_name"])) for model in models],
                )
                for service, models in home.by_service(behind)
            ],
            "room": rooms.of(request, numbers) if may_view(request, "orders", "order") else "",
        }
        if not context["room"]:
            context["title"] = "Shop"
        return super().index(request, {**context, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        found: Sequence[Any] = super().get_app_list(request, app_label)
        return home.renamed(found) if app_label else home.grouped(found)


def begin(request: HttpRequest) -> HttpResponse:
    """The address with which the admin begins. Without the database nobody knows who asks: then that is said."""
    from django.contrib.admin import site

    try:
        answer = site.admin_view(site.index)(request)
        return answer.render() if isinstance(answer, TemplateResponse) else answer
    except (OperationalError, InterfaceError):
        return render(request, "admin/shop/control/away.html", status=503)
