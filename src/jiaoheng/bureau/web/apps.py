"""App `web`."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The pages."""

    name = "jiaoheng.bureau.web"
    label = "web"
    verbose_name = "页面"
