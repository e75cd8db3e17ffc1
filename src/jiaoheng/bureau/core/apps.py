"""App `core`."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Units, people, rights, audit."""

    name = "jiaoheng.bureau.core"
    label = "core"
    verbose_name = "基础"
