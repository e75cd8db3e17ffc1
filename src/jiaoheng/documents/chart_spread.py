"""How scores spread: distributions, and a table of schools by subjects in colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    y_value_axis,
)
from jiaoheng.documents.model import Chart


def distribution(
    caption: Caption,
    series: Mapping[str, Sequence[tuple[Number, Number]]],
    *,
    x_title: str,
    y_title: str,
    lines: Sequence[tuple[Number, str]] = (),
    step: bool = True,
) -> Chart:
    """Distributions as step curves: (score, share or count) per series; `lines` are marked scores such as a pass line.

    One series is filled, several are lines with their names at their peaks.
    """
    series = {name: points for name, points in series.items() if points}
    if len(series) > SERIES_LIMIT:
        raise ValueError(f"a chart has at most {SERIES_LIMIT} series, not {len(series)}")
    names = list(series)
    colours = theme.series_colours(names) if len(names) > 1 else [theme.ACCENT]
    peaks = [max(points, key=lambda point: point[1]) for points in series.values()]
    top = max((float(peak[1]) for peak in peaks), default=1.0) or 1.0
    encoding = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "axis": value_axis(x_title),
            "scale": {"nice": False, "zero": False},
        },
        "y": {
            "field": "y",
            "type": "quantitative",
            "axis": y_value_axis(y_title),
            "scale": {"domain": [0, top * 1.15], "nice": False},  # room for the names over the peaks
        },
        "color": {"field": "名称", "type": "nominal", "scale": {"domain": names, "range": colours}, "legend": None},
        "tooltip": [
            {"field": "名称", "type": "nominal"},
            {"field": "x", "type": "quantitative", "title": x_title},
            {"field": "y", "type": "quantitative", "title": y_title, "format": ".4~g"},
        ],
    }
    shape = {"interpolate": "step-after" if step else "monotone"}
    layers: list[dict[str, Any]]
    if len(names) == 1:
        area = {"type": "area", "fillOpacity": 0.25, "line": {"strokeWidth": 2} | shape, **shape}
        layers = [{"mark": area, "encoding": encoding}]
    else:
        named = {channel: encoding[channel] for channel in ("x", "y", "color")}
        tips = [{"名称": name, "x": float(x), "y": float(y)} for name, (x, y) in zip(names, peaks, strict=True)]
        layers = [
            {"mark": {"type": "line", "strokeWidth": 2, **shape}, "encoding": encoding},
            {**text_layer("名称", named, dy=-10), "data": {"values": tips}},
        ]
    for value, label in lines:
        layers += reference_line(value, label, dashed=True)
    rows = [{"名称": name, "x": float(x), "y": float(y)} for name, points in series.items() for x, y in points]
    spec = {"data": {"values": rows}, "layer": layers, "padding": {"left": 5, "top": 30, "right": 24, "bottom": 5}}
    return chart(caption, spec, height=220)


def heat_table(
    caption: Caption,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Number | None]],
    *,
    unit: str = "%",
    digits: int = 1,
    limit: Number | None = None,
) -> Chart:
    """A table of signed values coloured from ochre (below 0) over white to blue (above); None is drawn as —.

    Colour is capped at ±`limit` (default: the 95th percentile of the sizes), so that one odd cell does not pale
    the rest.
    """
    known = sorted(abs(float(value)) for row in cells for value in row if value is not None)
    top = float(limit) if limit is not None else (known[min(len(known) - 1, int(len(known) * 0.95))] if known else 1.0)
    top = top or 1.0
    values = [
        _heat_cell(i, rows[i], columns[j], value, top, unit, digits)
        for i, row in enumerate(cells)
        for j, value in enumerate(row)
    ]
    y = {"field": "row", "type": "ordinal", "axis": label_axis(list(rows))}
    x = {
        "field": "column",
        "type": "ordinal",
        "sort": list(columns),
        "axis": {"orient": "top", "labelAngle": 0, "title": None, "labelOverlap": True},
    }
    ramp = ["#874c01", "#e3c48f", "#f7f8f8", "#a5c8de", "#15547d"]
    domain = [-top, -top / 3, 0, top / 3, top]
    layers = [
        {
            "mark": {"type": "rect", "stroke": theme.SHEET, "strokeWidth": 1},
            "encoding": {
                "x": x,
                "y": y,
                "color": {
                    "field": "shade",
                    "type": "quantitative",
                    "scale": {"domain": domain, "range": ramp, "interpolate": "rgb"},
                    "legend": None,
                },
                "tooltip": [{"field": name, "type": "nominal"} for name in ("名称", "项目", "数值")],
            },
        },
        {
            "mark": {"type": "text", "baseline": "middle", "fontSize": 12},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "print", "type": "nominal"},
                "color": {"field": "ink", "type": "nominal", "scale": None},
            },
        },
    ]
    if len(values) > _MOST_PRINTED:
        layers = layers[:1]  # hundreds of numbers are read in the table; here the colours are
    spec = {"data": {"values": values}, "layer": layers, "resolve": {"scale": {"color": "independent"}}}
    row_height = 24 if len(values) <= _MOST_PRINTED else 16
    return chart(caption, spec, height=max(80, row_height * len(rows)))


_MOST_PRINTED = 300  # cells of a heat table that carry their number


def _heat_cell(
    position: int, row: str, column: str, value: Number | None, top: float, unit: str, digits: int
) -> dict[str, Any]:
    """One cell: its print, its shade within ±top, and the ink that stands out on that shade."""
    shade = 0.0 if value is None else max(-top, min(top, float(value)))
    printed = "—" if value is None else number(value, digits, signed=True)
    return {
        "row": position,
        "column": column,
        "名称": row,
        "项目": column,
        "数值": printed if value is None else printed + unit,
        "print": printed,
        "shade": shade,
        "ink": "#fefefe" if abs(shade) > 0.62 * top else "#182027",
    }
