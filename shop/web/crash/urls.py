"""The address of the page that breaks things. Only included where the demo runs."""

from django.contrib import admin
from django.urls import path

from shop.web.crash.views import crash, stream

urlpatterns = [
    path("", admin.site.admin_view(crash), name="crash"),
    path("stream/", admin.site.admin_view(stream), name="crash_stream"),
]
