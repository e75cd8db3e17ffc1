"""Addresses: the office's pages, and the system settings."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    # one door: the one that locks, and leaves entries
    path("settings/login/", login_not_required(RedirectView.as_view(pattern_name="login", query_string=True))),
    path("settings/", admin.site.urls),
    path("", include("jiaoheng.bureau.web.urls")),
]
handler404 = "jiaoheng.bureau.web.refusals.missing"
handler403 = "jiaoheng.bureau.web.refusals.forbidden"
handler500 = "jiaoheng.bureau.web.refusals.fault"
