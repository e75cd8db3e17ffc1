"""Addresses: the office's pages, and the system settings."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from jiaoheng.bureau.web import settings_door, sign_in

urlpatterns = [
    # one door: the one that locks, and leaves entries
    path("settings/login/", settings_door.enter),
    path("settings/logout/", sign_in.sign_out),
    path("settings/password_change/", RedirectView.as_view(pattern_name="password")),
    path("settings/", admin.site.urls),
    path("", include("jiaoheng.bureau.web.urls")),
    path("", include("jiaoheng.bureau.api.urls")),
]
handler400 = "jiaoheng.bureau.web.gate.unreadable"
handler404 = "jiaoheng.bureau.web.refusals.missing"
handler403 = "jiaoheng.bureau.web.refusals.forbidden"
handler500 = "jiaoheng.bureau.web.refusals.fault"
