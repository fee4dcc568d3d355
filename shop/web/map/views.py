"""The page ``/admin/map/``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orders.edges import parts
from shop.base.admin.links import may_view
from shop.web.map.drawing import draw
from shop.web.map.facts import facts
from shop.web.map.traffic import LOOK_BACK, traffic


def page(request: HttpRequest) -> HttpResponse:
    """For staff who may see orders. ``?style=``: only this one; else all styles, side by side where there is room."""
    if not may_view(request, "orders", "order"):
        raise PermissionDenied
    wanted = request.GET.get("style")
    styles = [style for style in settings.STYLES if wanted in (None, "", style)] or [*settings.STYLES]
    found = traffic()
    drawings = [
        draw(
            style,
            [
                (part.kind, part.title, [facts(request, edge, style, found) for edge in part.edges])
                for part in parts(style)
            ],
        )
        for style in styles
    ]
    shown: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Map: who tells whom what",
        "drawings": drawings,
        "styles": settings.STYLES,
        "only": styles[0] if len(styles) == 1 else "",
        "minutes": LOOK_BACK // 60,
        "unknown": sorted(found.unknown),
    }
    return render(request, "shop/map/page.html", shown)


page_for_staff = admin.site.admin_view(page)
