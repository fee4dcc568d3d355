"""The address of the page that breaks things. Only included where the demo runs."""

from django.contrib import admin
from django.urls import path

from shop.web.crash.views import crash

urlpatterns = [path("", admin.site.admin_view(crash), name="crash")]
