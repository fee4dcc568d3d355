from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from shop.web import health

handler400 = "shop.base.api.problems.bad_request"
handler500 = "shop.base.api.problems.server_error"

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs/")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("api/", include("shop.web.api")),
]
