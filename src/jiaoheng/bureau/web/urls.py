"""Addresses of the pages, one list a room of the office."""

from __future__ import annotations

from django.urls import path

from jiaoheng.bureau.web import health

urlpatterns = [path("healthz", health.healthz, name="healthz")]
