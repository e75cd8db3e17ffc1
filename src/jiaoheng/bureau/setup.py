"""Django made ready for a command, a worker or a notebook."""

from __future__ import annotations

import os


def start_django() -> None:
    """Load the settings from the environment and Django's apps; calling it twice does nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiaoheng.bureau.settings")
    import django

    django.setup()
