"""A bureau's rules as data: dated, with their source. A bureau adds its own folder by JIAOHENG_PACKS."""

from __future__ import annotations

import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml


@cache
def load(name: str) -> Any:
    """Parsed `<name>.yaml`: the bureau's own folder (environment JIAOHENG_PACKS) goes before the shipped one.

    Raises FileNotFoundError with the name where neither has it.
    """
    own = os.environ.get("JIAOHENG_PACKS")
    if own:
        path = Path(own) / f"{name}.yaml"
        if path.is_file():
            return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (safe loader)
    text = (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 (safe loader)


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
