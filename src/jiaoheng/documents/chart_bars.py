"""Bars: sorted values, shares of levels, mastery of knowledge points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.chart_parts import (
    SERIES_LIMIT,
    Caption,
    Number,
    chart,
    label_axis,
    number,
    reference_line,
    text_layer,
    value_axis,
)
from jiaoheng.documents.model import Chart


def bars(
    caption: Caption,
    rows: Sequence[tuple[str, Number]],
    *,
    unit: str,
    digits: int = 2,
    reference: Number | None = None,
    reference_label: str = "全县",
    colour: str = theme.ACCENT,
    order: bool = True,
) -> Chart:
    """Bars from zero, sorted from high to low (unless `order` is False), with their value at the end."""
    listed = sorted(rows, key=lambda row: (-row[1], row[0])) if order else list(rows)
    values = [
        {"row": i, "名称": label, "value": float(value), "数值": number(value, digits) + unit}
        for i, (label, value) in enumerate(listed)
    ]
    y = {"field": "row", "type": "ordinal", "axis": label_axis([label for label, _ in listed])}
    x = {"field": "value", "type": "quantitative", "axis": value_axis(unit), "scale": {"zero": True, "nice": True}}
    tooltip = [{"field": name, "type": "nominal"} for name in ("名称", "数值")]
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "color": colour, "height": {"band": 0.66}},
            "encoding": {"y": y, "x": x, "tooltip": tooltip},
        },
        text_layer("数值", {"y": y, "x": {"value": "width"}}, align="left", dx=6),
    ]
    if reference is not None:
        layers += reference_line(reference, f"{reference_label} {number(reference, digits)}{unit}")
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 24, "right": 5, "bottom": 5}}
    return chart(caption, spec, height=max(80, 26 * len(listed)))


def stacked_levels(
    caption: Caption, levels: Sequence[str], rows: Sequence[tuple[str, Sequence[Number]]], *, digits: int = 0
) -> Chart:
    """Shares of levels (best first) per unit as bars of 100 %; `rows`: (unit, percentages in the order of levels)."""
    if len(levels) > SERIES_LIMIT:
        raise ValueError(f"a chart has at most {SERIES_LIMIT} levels, not {len(levels)}")
    colours = _level_colours(len(levels))
    values = []
    for i, (label, shares) in enumerate(rows):
        start = 0.0
        for j, share in enumerate(shares):
            end = start + float(share)
            printed = number(share, digits)
            dark = colours[j] in (theme.LEVELS[0], theme.LEVELS[1], theme.LEVELS[-1])
            values.append(
                {
                    "row": i,
                    "名称": label,
                    "等级": levels[j],
                    "占比": printed + "%",
                    "start": start,
                    "end": end,
                    "middle": (start + end) / 2,
                    "print": printed if float(share) >= 6 else "",
                    "fill": colours[j],
                    "ink": "#fefefe" if dark else "#182027",
                }
            )
            start = end
    y = {"field": "row", "type": "ordinal", "axis": label_axis([label for label, _ in rows])}
    scale = {"domain": [0, 100]}
    layers = [
        {
            "mark": {"type": "bar", "height": {"band": 0.74}, "stroke": theme.SHEET, "strokeWidth": 1},
            "encoding": {
                "y": y,
                "x": {"field": "start", "type": "quantitative", "scale": scale, "axis": value_axis("%")},
                "x2": {"field": "end"},
                "color": {
                    "field": "等级",
                    "type": "nominal",
                    "scale": {"domain": list(levels), "range": colours},
                    "legend": {"title": None, "symbolType": "square"},
                },
                "tooltip": [{"field": name, "type": "nominal"} for name in ("名称", "等级", "占比")],
            },
        },
        {
            "mark": {"type": "text", "baseline": "middle"},
            "encoding": {
                "y": y,
                "x": {"field": "middle", "type": "quantitative", "scale": scale},
                "text": {"field": "print", "type": "nominal"},
                "color": {"field": "ink", "type": "nominal", "scale": None},
            },
        },
    ]
    spec = {"data": {"values": values}, "layer": layers, "resolve": {"scale": {"color": "independent"}}}
    return chart(caption, spec, height=max(80, 28 * len(rows)))


def mastery_bars(
    caption: Caption,
    rows: Sequence[tuple[str, Number, Number | None]],
    *,
    unit: str = "%",
    digits: int = 1,
    county_name: str = "全县",
) -> Chart:
    """Score rates of knowledge points or abilities, weakest first, with a tick at the county's value.

    `rows`: (name, the unit's value, the county's value or None).
    """
    listed = sorted(rows, key=lambda row: (row[1], row[0]))
    values = [
        {
            "row": i,
            "名称": label,
            "value": float(value),
            "county": None if county is None else float(county),
            "得分率": number(value, digits) + unit,
            county_name: "—" if county is None else number(county, digits) + unit,
        }
        for i, (label, value, county) in enumerate(listed)
    ]
    y = {"field": "row", "type": "ordinal", "axis": label_axis([row[0] for row in listed])}
    scale = {"domain": [0, 100]} if unit == "%" else {"zero": True}
    x = {"field": "value", "type": "quantitative", "scale": scale, "axis": value_axis(unit)}
    tooltip = [{"field": name, "type": "nominal"} for name in ("名称", "得分率", county_name)]
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "color": theme.LEVELS[1], "height": {"band": 0.62}},
            "encoding": {"y": y, "x": x, "tooltip": tooltip},
        },
        text_layer("得分率", {"y": y, "x": {"value": "width"}}, align="left", dx=6),
    ]
    if any(row[2] is not None for row in rows):
        tick: dict[str, Any] = {"type": "tick", "color": theme.INK, "thickness": 2, "size": 20}
        tick["opacity"] = 1
        first = {"y": {"value": 0}, "x": {"value": "width"}}
        layers.append(text_layer("", first, literal=f"竖线：{county_name}", align="right", dy=-12, color=theme.INK2))
        layers.insert(1, {"mark": tick, "encoding": {"y": y, "x": {**x, "field": "county"}, "tooltip": tooltip}})
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 24, "right": 5, "bottom": 5}}
    return chart(caption, spec, height=max(80, 26 * len(listed)))


def _level_colours(count: int) -> list[str]:
    """`count` steps over the level ramp, ends included."""
    if count == 1:
        return [theme.LEVELS[0]]
    last = len(theme.LEVELS) - 1
    return [theme.LEVELS[round(i * last / (count - 1))] for i in range(count)]
