"""The fixed parts of the self-contained page: style with both themes, script, and the chart library."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jiaoheng.documents import chart_theme as theme

PAGES = Path(__file__).with_name("pages")

_DARK_TOKENS = {
    "ink": "#e6eaec",
    "ink-2": "#b0bac0",
    "ink-3": "#98a3aa",
    "sheet": "#14191d",
    "paper": "#1a2025",
    "sunk": "#242b31",
    "line": "#333c43",
    "line-2": "#7a868e",
    "rule": "#c3ccd1",
    "accent": "#86bfe2",
    "accent-2": "#b1d7ee",
    "good": "#6cc7a6",
    "warn": "#e3ab5a",
    "bad": "#f19a86",
}


@cache
def style() -> str:
    """The style sheet; the dark theme is written once and set for the system's wish and for the reader's choice."""
    text = (PAGES / "report.css").read_text(encoding="utf-8")
    tokens = "color-scheme: dark; " + " ".join(f"--jh-{name}: {value};" for name, value in _DARK_TOKENS.items())
    wish = "@media screen and (prefers-color-scheme: dark)"
    dark = f'{wish} {{ :root:not([data-theme="light"]) {{ {tokens} }} }}\n'
    dark += f'@media screen {{ :root[data-theme="dark"] {{ {tokens} }} }}'
    return text.replace("/*DARK*/", dark).replace("/*DARKCHART*/", _dark_pictures(wish))


@cache
def script() -> str:
    """The page's own script."""
    return (PAGES / "report.js").read_text(encoding="utf-8")


@cache
def chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; bundling takes a second, so it is kept in the user's cache."""
    place = _cache_folder() / f"vega-{version('vl-convert-python')}-{theme.VEGA_LITE}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        kept = place.read_text(encoding="utf-8")
        if kept.endswith(_END):
            return kept
    import vl_convert

    # the default snippet, given since the type stub asks for one: the three libraries as globals
    snippet = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"
    bundle: str = vl_convert.javascript_bundle(snippet, vl_version=theme.VEGA_LITE)
    # inside a script element only these two sequences could end it or change its meaning
    bundle = bundle.replace("</script", r"<\/script").replace("<!--", r"<\!--") + _END
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(bundle)
        Path(name).replace(place)
    return bundle


def script_json(value: Any) -> str:
    """JSON for a script element: nothing in it can end the element or break a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


_END = "\n/* end of chart library */\n"


def _dark_pictures(wish: str) -> str:
    """Rules that give the static pictures the inks of the dark theme."""
    rules = [
        f'.plot > svg [{attribute}="{light}"] {{ {attribute}: {dark}; }}'
        for light, dark in theme.DARK.items()
        for attribute in ("fill", "stroke")
    ]
    system = " ".join(f':root:not([data-theme="light"]) {rule}' for rule in rules)
    chosen = " ".join(f':root[data-theme="dark"] {rule}' for rule in rules)
    return f"{wish} {{ {system} }}\n@media screen {{ {chosen} }}"


def _cache_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "jiaoheng"
