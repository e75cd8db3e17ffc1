"""One look for every chart: colours that colour-blind readers can tell apart, one font, thin lines, no italics."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from jiaoheng.documents.fonts import CHART_FAMILY

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
VEGA_LITE = "6.4"

INK, INK2, MUTE, LINE, SHEET = "#182026", "#47535b", "#8b979e", "#d8dee1", "#ffffff"
ACCENT, GOOD, WARN, BAD = "#15547c", "#11694f", "#874c00", "#ad2d18"

# Told apart under deuteranopia, protanopia and tritanopia and at least 3 : 1 on white: Okabe and Ito (2008), the light
# ones darkened. The order is that in which unknown series take them.
SERIES = ("#0072b2", "#d55e00", "#00805d", "#b0589a", "#a66f00", "#2a87bd", "#6d5bb0", "#8c5a3c")
_SUBJECTS = {
    "语文": SERIES[0],
    "数学": SERIES[1],
    "英语": SERIES[2],
    "外语": SERIES[2],
    "物理": SERIES[3],
    "化学": SERIES[4],
    "生物": SERIES[5],
    "生物学": SERIES[5],
    "历史": SERIES[7],
    "政治": SERIES[6],
    "道德与法治": SERIES[6],
    "思想政治": SERIES[6],
    "地理": "#4f7a28",
    "科学": "#00788c",
    "总分": INK,
}
# Worst to best, light to dark: read in black and white too.
LEVELS = ("#15547c", "#4a86ad", "#8fb8d3", "#cfe0ea", "#e5cfa8", "#c99a4b", "#874c00")

# The same chart on a dark page: every ink of the light theme has one counterpart.
DARK = {
    INK: "#e6eaec",
    INK2: "#b0bac0",
    MUTE: "#7c8890",
    LINE: "#333c43",
    SHEET: "#14191d",
    ACCENT: "#86bfe2",
    GOOD: "#6cc7a6",
    WARN: "#e3ab5a",
    BAD: "#f19a86",
    "#0072b2": "#4aa8e0",
    "#d55e00": "#f0884a",
    "#00805d": "#3fb78f",
    "#b0589a": "#d98fc4",
    "#a66f00": "#d9a441",
    "#2a87bd": "#7cc4ec",
    "#6d5bb0": "#a99be0",
    "#8c5a3c": "#c79274",
    "#4f7a28": "#93bd68",
    "#00788c": "#4fbccd",
}


def subject_colour(name: str) -> str:
    """The colour of a subject, the same in every chart and report; other names take a colour by their text."""
    if name in _SUBJECTS:
        return _SUBJECTS[name]
    return SERIES[zlib.crc32(name.encode()) % len(SERIES)]


def series_colours(names: list[str]) -> list[str]:
    """Colours for series that stand in one chart: subjects keep theirs, the others take what is left, in order."""
    free = [colour for colour in SERIES if colour not in {_SUBJECTS.get(name) for name in names}]
    return [_SUBJECTS[name] if name in _SUBJECTS else free.pop(0) if free else subject_colour(name) for name in names]


def config(family: str = CHART_FAMILY) -> dict[str, Any]:
    """The Vega-Lite configuration of our look."""
    text = {"labelFontSize": 13, "titleFontSize": 13, "labelColor": INK2, "titleColor": INK2}
    return {
        "font": family,
        "background": None,
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontWeight": "normal",
            "domain": False,
            "ticks": False,
            "gridColor": LINE,
            "labelLimit": 240,
            "labelPadding": 6,
            "titlePadding": 8,
        },
        "axisY": {"labelColor": INK, "grid": False},
        "axisX": {"labelFlush": False},
        "legend": {**text, "titleFontWeight": "normal", "orient": "top", "symbolType": "circle", "labelLimit": 200},
        "header": {**text, "titleFontWeight": "normal"},
        "text": {"fontSize": 13, "color": INK},
        "range": {"category": list(SERIES)},
        "mark": {"tooltip": None},
    }


def darkened(spec: Mapping[str, Any]) -> Any:
    """The spec with every colour of the light theme replaced by its dark counterpart."""
    text = json.dumps(spec, ensure_ascii=False)
    for light, dark in DARK.items():
        text = text.replace(f'"{light}"', f'"{dark}"')
    return json.loads(text)
