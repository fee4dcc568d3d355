"""All addresses of the shop, and what is said of those that fail."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from shop.web import health, people
from shop.web.control.site import begin
from shop.web.map.views import page_for_staff

people.list_alike(admin.site)

handler400 = "shop.web.refusals.bad_request"
handler500 = "shop.web.refusals.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("favicon.ico", RedirectView.as_view(url="/static/shop/favicon.svg")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    *([path("admin/crash/", include("shop.web.crash.urls"))] if settings.DEMO else []),
    path("admin/map/", page_for_staff, name="admin-map"),
    path("admin/", begin),
    path("admin/", admin.site.urls),
    path("api/", include("shop.web.api")),
    path("", include("shop.web.store.urls")),
]
