"""Parts that every chart is made of: caption, axes, labels, text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.model import Chart
from jiaoheng.documents.safe_text import one_line
from jiaoheng.methods import numbers

Number = int | float | Fraction
SERIES_LIMIT = 7  # more lines or groups cannot be told apart
LABELS_BY_ROW = "[datum.value]"  # ends the expression that picks a row's name from a list
ONCE: dict[str, Any] = {"values": [{}]}  # a layer that stands once, whatever the chart's rows are


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands around a picture: stable key, finding, definition, alternative text, key of its table."""

    key: str
    title: str
    subtitle: str
    alt: str
    table: str = ""


def chart(caption: Caption, spec: dict[str, Any], *, height: int) -> Chart:
    """The finished chart: width by container, our schema version."""
    whole = {"$schema": theme.SCHEMA, "width": "container", **spec, "height": height}
    return Chart(caption.key, caption.title, caption.subtitle, whole, caption.alt, caption.table, height)


def number(value: Number, digits: int, *, signed: bool = False) -> str:
    """A value as printed in pictures: half-up, with a true minus."""
    return numbers.text(value, digits, signed)


def label_axis(labels: Sequence[str], heads: Mapping[int, str] | None = None) -> dict[str, Any]:
    """A y axis whose rows are numbered 0 … n−1 and shown by their names, so that two units may have one name.

    Rows in `heads` are group headings in the colour given.
    """
    listed = json.dumps([one_line(label) for label in labels], ensure_ascii=True)
    axis: dict[str, Any] = {"title": None, "labelExpr": listed + LABELS_BY_ROW, "labelOverlap": False}
    if heads:
        tests = [{"test": f"datum.value === {row}", "value": colour} for row, colour in heads.items()]
        axis["labelColor"] = {"condition": tests, "value": theme.INK}
    return axis


def value_axis(title: str, *, top: bool = False) -> dict[str, Any]:
    """A quantitative axis with few light grid lines."""
    return {"title": title or None, "grid": True, "tickCount": 6} | ({"orient": "top"} if top else {})


def y_value_axis(title: str) -> dict[str, Any]:
    """A quantitative y axis with its title lying above it, where it is read first."""
    return {**value_axis(title), "titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -10}


def reference_line(value: Number, label: str, *, dashed: bool = False) -> list[dict[str, Any]]:
    """A vertical line over the whole height with its name on top."""
    look: dict[str, Any] = {"type": "rule", "color": theme.INK, "strokeWidth": 1.5}
    if dashed:
        look["strokeDash"] = [4, 3]
    at = {"x": {"datum": float(value)}}
    return [
        {"data": ONCE, "mark": look, "encoding": at},
        text_layer("", {**at, "y": {"value": 0}}, literal=label, dy=-8),
    ]


def text_layer(
    field: str,
    encoding: dict[str, Any],
    *,
    name: str = "",
    literal: str = "",
    **look: Any,
) -> dict[str, Any]:
    """A layer of text marks from a field, or one `literal`."""
    mark = {"type": "text", "baseline": "middle", **look}
    text = {"value": one_line(literal)} if literal else {"field": field, "type": "nominal"}
    layer: dict[str, Any] = {"mark": mark, "encoding": {**encoding, "text": text}}
    if literal:
        layer["data"] = ONCE
    if name:
        layer["name"] = name
    return layer


def padded_domain(values: Sequence[float]) -> list[float]:
    """The range of the values with a twentieth of air at both ends."""
    low, high = min(values), max(values)
    air = (high - low) / 20 or max(abs(high), 1.0) / 20
    return [low - air, high + air]
