"""Addresses: the office's pages, and the system settings."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("settings/", admin.site.urls),
    path("", include("jiaoheng.bureau.web.urls")),
]
handler404 = "jiaoheng.bureau.web.refusals.missing"
handler403 = "jiaoheng.bureau.web.refusals.forbidden"
handler500 = "jiaoheng.bureau.web.refusals.fault"
