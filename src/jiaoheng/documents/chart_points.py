"""Points: a unit against the county by subject, two exams against each other, items by difficulty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.chart_parts import (
    ONCE,
    SERIES_LIMIT,
    Caption,
    Number,
    chart,
    label_axis,
    number,
    padded_domain,
    text_layer,
    value_axis,
    y_value_axis,
)
from jiaoheng.documents.chart_theme import subject_colour
from jiaoheng.documents.model import Chart


@dataclass(frozen=True, slots=True)
class Point:
    """One unit or item of a scatter plot; `named` ones carry their label in the picture."""

    label: str
    x: Number
    y: Number
    group: str = ""
    named: bool = False


def subject_profile(
    caption: Caption,
    rows: Sequence[tuple[str, Number, Number]],
    *,
    unit_name: str,
    county_name: str = "全县",
    unit: str = "%",
    digits: int = 1,
) -> Chart:
    """Per subject the unit's value (filled, in the subject's colour) and the county's (ring), joined by a line.

    `rows`: (subject, unit's value, county's value), drawn in the order given.
    """
    values = [
        {
            "row": i,
            "学科": subject,
            "own": float(own),
            "county": float(county),
            "本单位": number(own, digits) + unit,
            "参照": number(county, digits) + unit,
            "colour": subject_colour(subject),
        }
        for i, (subject, own, county) in enumerate(rows)
    ]
    domain = padded_domain([float(value) for row in rows for value in row[1:]])
    y = {"field": "row", "type": "ordinal", "axis": label_axis([row[0] for row in rows])}
    x = {"type": "quantitative", "scale": {"domain": domain, "zero": False}, "axis": value_axis(unit)}
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    tooltip = [
        {"field": "学科", "type": "nominal"},
        {"field": "本单位", "type": "nominal", "title": unit_name},
        {"field": "参照", "type": "nominal", "title": county_name},
    ]
    own, county = {**x, "field": "own"}, {**x, "field": "county"}
    ring = {"type": "point", "size": 80, "filled": True, "opacity": 1, "fill": theme.SHEET, "stroke": theme.INK}
    key = f"实心点：{unit_name}　空心圈：{county_name}"
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2},
            "encoding": {"y": y, "x": own, "x2": {"field": "county"}, "color": colour, "tooltip": tooltip},
        },
        {"mark": ring, "encoding": {"y": y, "x": county, "tooltip": tooltip}},
        {
            "mark": {"type": "point", "size": 96, "filled": True, "opacity": 1},
            "encoding": {"y": y, "x": own, "color": colour, "tooltip": tooltip},
        },
        text_layer("", {"x": {"value": 0}, "y": {"value": 0}}, literal=key, align="left", dy=-10, color=theme.INK2),
    ]
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 20, "right": 16, "bottom": 5}}
    return chart(caption, spec, height=max(96, 34 * len(rows)))


def scatter(
    caption: Caption,
    points: Sequence[Point],
    *,
    x_title: str,
    y_title: str,
    x_line: Number | None = None,
    y_line: Number | None = None,
    fit: tuple[Number, Number] | None = None,
    digits: int = 2,
) -> Chart:
    """Points with reference lines at `x_line`, `y_line` and the line y = fit[0] + fit[1]·x (prior against now)."""
    names = list(dict.fromkeys(point.group for point in points))
    if len(names) > SERIES_LIMIT:
        raise ValueError(f"a chart has at most {SERIES_LIMIT} series, not {len(names)}")
    air = {"zero": False, "padding": 12}
    encoding = _point_encoding(x_title, y_title, air, air)
    if names not in ([], [""]):
        scale = {"domain": names, "range": theme.series_colours(names)}
        legend = {"title": None, "orient": "bottom"}
        encoding["color"] = {"field": "组", "type": "nominal", "scale": scale, "legend": legend}
        encoding["shape"] = {"field": "组", "type": "nominal", "scale": {"domain": names}, "legend": legend}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": theme.MUTE},
            "encoding": {axis: {"datum": float(at)}},
        }
        for axis, at in (("x", x_line), ("y", y_line))
        if at is not None
    ]
    place = {"x": encoding["x"], "y": encoding["y"]}
    if fit is not None and points:
        ends = [float(min(point.x for point in points)), float(max(point.x for point in points))]
        line = [{"x": end, "y": float(fit[0]) + float(fit[1]) * end} for end in ends]
        mark = {"type": "line", "color": theme.INK, "strokeWidth": 1.5}
        layers.append({"data": {"values": line}, "mark": mark, "encoding": place})
    dot = {"type": "point", "filled": True, "size": 60, "opacity": 0.85, "color": theme.ACCENT}
    layers += [{"mark": dot, "encoding": encoding}, text_layer("print", place, align="left", dx=8, fontSize=12)]
    spec = {
        "data": {"values": [_point_value(point, point.named, digits) for point in points]},
        "layer": layers,
        "padding": {"left": 5, "top": 26, "right": 24, "bottom": 5},
    }
    return chart(caption, spec, height=300)


def item_scatter(
    caption: Caption, points: Sequence[Point], *, easy: Number, hard: Number, poor: Number, good: Number
) -> Chart:
    """Items by difficulty P (x, larger is easier) and discrimination D (y), with the thresholds drawn.

    Items with D below `poor` are marked by colour, shape and their number.
    """
    values = [
        {
            **_point_value(point, point.named or point.y < poor, 2),
            "shape": "triangle-down" if point.y < poor else "circle",
            "colour": theme.WARN if point.y < poor else theme.ACCENT,
        }
        for point in points
    ]
    low = min([0.0, *(float(point.y) for point in points)])
    high = max([float(good) + 0.1, *(float(point.y) for point in points)])
    y_scale = {"domain": [low - 0.02, high + 0.02], "nice": False, "zero": False}
    encoding = _point_encoding("难度（越大越易）", "区分度", {"domain": [0, 1]}, y_scale)
    for channel, name in (("shape", "shape"), ("color", "colour")):
        encoding[channel] = {"field": name, "type": "nominal", "scale": None, "legend": None}
    place = {"x": encoding["x"], "y": encoding["y"]}
    layers: list[dict[str, Any]] = [
        *_threshold("x", hard, "较难"),
        *_threshold("x", easy, "较易"),
        *_threshold("y", poor, "须改"),
        *_threshold("y", good, "很好"),
        {"mark": {"type": "point", "filled": True, "size": 64, "opacity": 0.9}, "encoding": encoding},
        text_layer("print", place, align="center", dy=14, fontSize=12),
    ]
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 26, "right": 5, "bottom": 5}}
    return chart(caption, spec, height=300)


def _threshold(axis: str, value: Number, word: str) -> list[dict[str, Any]]:
    """A dashed threshold with its name outside the plot."""
    look = {"type": "rule", "color": theme.MUTE, "strokeDash": [4, 3]}
    at = {axis: {"datum": float(value)}}
    line = {"data": ONCE, "mark": look, "encoding": at}
    label = f"{word} {number(value, 2)}"
    if axis == "x":
        return [line, text_layer("", {**at, "y": {"value": 0}}, literal=label, dy=-8, color=theme.INK2, fontSize=12)]
    end = {**at, "x": {"value": "width"}}
    return [line, text_layer("", end, literal=label, align="left", dx=6, color=theme.INK2, fontSize=12)]


def _point_value(point: Point, named: bool, digits: int) -> dict[str, Any]:
    return {
        "名称": point.label,
        "x": float(point.x),
        "y": float(point.y),
        "横": number(point.x, digits),
        "纵": number(point.y, digits),
        "组": point.group,
        "print": point.label if named else "",
    }


def _point_encoding(x_title: str, y_title: str, x_scale: dict[str, Any], y_scale: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": {"field": "x", "type": "quantitative", "axis": value_axis(x_title), "scale": x_scale},
        "y": {"field": "y", "type": "quantitative", "axis": y_value_axis(y_title), "scale": y_scale},
        "tooltip": [
            {"field": "名称", "type": "nominal"},
            {"field": "横", "type": "nominal", "title": x_title},
            {"field": "纵", "type": "nominal", "title": y_title},
        ],
    }
