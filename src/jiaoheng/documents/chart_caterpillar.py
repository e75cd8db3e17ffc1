"""Many estimates with their intervals in order of size: the caterpillar plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.chart_intervals import Estimate
from jiaoheng.documents.chart_parts import Caption, Number, chart, number, padded_domain, y_value_axis
from jiaoheng.documents.model import Chart

MOST = 600  # more lines cannot be told apart; then every k-th unit is drawn, the outermost always


def caterpillar(
    caption: Caption,
    rows: Sequence[Estimate],
    *,
    reference: Number,
    unit: str,
    digits: int = 2,
    words: tuple[str, str, str, str] = ("高于预期", "与预期相当", "低于预期", "样本不足"),
) -> Chart:
    """Units from lowest to highest with vertical intervals; colour and shape where the whole interval is on one side."""
    ordered = sorted(rows, key=lambda row: (row.value, row.label))
    step = -(-len(ordered) // MOST)
    drawn = [at for at in range(len(ordered)) if at % step == 0 or at == len(ordered) - 1]
    values: list[dict[str, Any]] = []
    for at in drawn:
        row = ordered[at]
        side = 3 if not row.rated else 0 if row.low > reference else 2 if row.high < reference else 1
        printed = f"{number(row.value, digits)}（{number(row.low, digits)} 至 {number(row.high, digits)}）{unit}"
        values.append(
            {
                "at": at + 1,
                "名称": row.label,
                "value": float(row.value),
                "low": float(row.low),
                "high": float(row.high),
                "数值": printed,
                "结论": words[side],
                "shape": _SHAPES[side],
                "colour": _INKS[side],
            }
        )
    ends = [float(reference)] + [float(value[key]) for value in values for key in ("low", "high")]
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    x = {
        "field": "at",
        "type": "quantitative",
        "scale": {"domain": [0, len(ordered) + 1], "nice": False},
        "axis": {"title": "由低到高排列的单位", "grid": False, "labels": False, "ticks": False},
    }
    y = {
        "type": "quantitative",
        "scale": {"domain": padded_domain(ends), "nice": False, "zero": False},
        "axis": y_value_axis(unit),
    }
    tooltip = [{"field": name, "type": "nominal"} for name in ("名称", "数值", "结论")]
    shape = {"field": "shape", "type": "nominal", "scale": None, "legend": None}
    layers = [
        {
            "mark": {"type": "rule", "color": theme.INK, "strokeWidth": 1.5},
            "encoding": {"y": {"datum": float(reference)}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1},
            "encoding": {
                "x": x,
                "y": {**y, "field": "low"},
                "y2": {"field": "high"},
                "color": colour,
                "tooltip": tooltip,
            },
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 22},
            "encoding": {"x": x, "y": {**y, "field": "value"}, "shape": shape, "color": colour, "tooltip": tooltip},
        },
    ]
    spec = {"data": {"values": values}, "layer": layers, "padding": {"left": 5, "top": 24, "right": 5, "bottom": 5}}
    return chart(caption, spec, height=340)


_SHAPES = ("triangle-up", "circle", "triangle-down", "circle")
_INKS = (theme.ACCENT, theme.INK2, theme.WARN, theme.MUTE)
