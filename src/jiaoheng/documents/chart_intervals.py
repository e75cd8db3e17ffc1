"""Estimates with their intervals: who is really different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.chart_parts import (
    Caption,
    Number,
    chart,
    label_axis,
    number,
    padded_domain,
    reference_line,
    text_layer,
    value_axis,
)
from jiaoheng.documents.model import Chart


@dataclass(frozen=True, slots=True)
class Estimate:
    """One unit of an interval plot; `rated` False: listed, not judged (few people)."""

    label: str
    value: Number
    low: Number
    high: Number
    rated: bool = True


def interval_plot(
    caption: Caption,
    rows: Sequence[Estimate],
    *,
    reference: Number,
    reference_label: str,
    unit: str,
    digits: int = 1,
    words: tuple[str, str, str, str] = ("高于全县", "与全县看不出差别", "低于全县", "人数不足，不评"),
) -> Chart:
    """Estimates with their intervals in four groups: above, no difference seen, below the reference, not rated.

    A unit is above or below only where its whole interval is. Groups are told by words, shape and colour.
    """
    groups: list[list[Estimate]] = [[], [], [], []]
    for row in rows:
        side = 3 if not row.rated else 0 if row.low > reference else 2 if row.high < reference else 1
        groups[side].append(row)
    labels: list[str] = []
    values: list[dict[str, Any]] = []
    heads: dict[int, str] = {}
    for style, word, group in zip(_STYLES, words, groups, strict=True):
        if not group:
            continue
        heads[len(labels)] = theme.INK2 if style.ink == theme.MUTE else style.ink
        labels.append(f"{word} {len(group)}")
        for row in sorted(group, key=lambda item: (-item.value, item.label)):
            values.append(_value(row, len(labels), style, word, unit, digits))
            labels.append(row.label)
    ends = [float(reference)] + [value[key] for value in values for key in ("low", "high")]
    y = {
        "field": "row",
        "type": "ordinal",
        "scale": {"domain": list(range(len(labels)))},
        "axis": label_axis(labels, heads),
    }
    layers = [
        *reference_line(reference, reference_label),
        *_marks(y, {"domain": padded_domain(ends), "nice": False, "zero": False}, unit),
        text_layer("print", {"y": y, "x": {"value": "width"}}, name="wide-only", align="left", dx=12, color=theme.INK2),
    ]
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 16, "right": 5, "bottom": 5}}
    return chart(caption, spec, height=22 * len(labels) + 8)


@dataclass(frozen=True, slots=True)
class _Style:
    shape: str
    ink: str
    fill: str


_STYLES = (
    _Style("triangle-up", theme.ACCENT, theme.ACCENT),
    _Style("circle", theme.INK2, theme.INK2),
    _Style("triangle-down", theme.WARN, theme.WARN),
    _Style("circle", theme.MUTE, theme.SHEET),
)


def _value(row: Estimate, position: int, style: _Style, word: str, unit: str, digits: int) -> dict[str, Any]:
    printed = f"{number(row.value, digits)}（{number(row.low, digits)} 至 {number(row.high, digits)}）"
    return {
        "row": position,
        "名称": row.label,
        "value": float(row.value),
        "low": float(row.low),
        "high": float(row.high),
        "数值": f"{printed}{unit}",
        "结论": word,
        "shape": style.shape,
        "colour": style.ink,
        "fill": style.fill,
        "print": printed,
    }


def _marks(y: dict[str, Any], x_scale: dict[str, Any], unit: str) -> list[dict[str, Any]]:
    """The interval as a line and the estimate as a shape on it."""
    tooltip = [{"field": name, "type": "nominal"} for name in ("名称", "数值", "结论")]
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    x = {"type": "quantitative", "scale": x_scale, "axis": value_axis(unit)}
    line = {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour, "tooltip": tooltip}
    dot = {
        "y": y,
        "x": {**x, "field": "value"},
        "shape": {"field": "shape", "type": "nominal", "scale": None, "legend": None},
        "fill": {"field": "fill", "type": "nominal", "scale": None, "legend": None},
        "stroke": colour,
        "tooltip": tooltip,
    }
    return [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": line},
        {"mark": {"type": "point", "filled": True, "opacity": 1, "size": 56, "strokeWidth": 1.5}, "encoding": dot},
    ]
