"""All addresses of the shop, and what is said of those that fail."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from shop.web import health
from shop.web.control.site import begin

handler400 = "shop.web.refusals.bad_request"
handler500 = "shop.web.refusals.server_error"

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs/")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("admin/", begin),
    path("admin/", admin.site.urls),
    path("api/", include("shop.web.api")),
]
