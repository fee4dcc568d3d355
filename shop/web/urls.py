"""All addresses of the shop, and what is said of those that fail."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from shop.web import health, people
from shop.web.map.views import page_for_staff

admin.site.site_header = "Shop"
admin.site.site_title = "Shop"
admin.site.enable_nav_sidebar = False  # it takes a quarter of a list's width
people.list_alike(admin.site)
admin.site.index_template = "admin/shop/index.html"
admin.site.index_title = "Orders, and what each service did for them"

handler400 = "shop.web.refusals.bad_request"
handler500 = "shop.web.refusals.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("favicon.ico", RedirectView.as_view(url="/static/shop/favicon.svg")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    *([path("admin/crash/", include("shop.web.crash.urls"))] if settings.DEMO else []),
    path("admin/map/", page_for_staff, name="admin-map"),
    path("admin/", admin.site.urls),
    path("api/", include("shop.web.api")),
    path("", include("shop.web.store.urls")),
]
