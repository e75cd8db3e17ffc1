"""A report as one self-contained page: reads and prints like a document, opens offline, asks nothing of the network."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.html_blocks import View, chapters
from jiaoheng.documents.model import Chart, Report
from jiaoheng.documents.outline import meta_lines, parts
from jiaoheng.documents.page_assets import PAGES, chart_library, script, script_json, style
from jiaoheng.documents.pictures import Pictures, report_charts
from jiaoheng.documents.safe_text import file_name, one_line


def render_html(report: Report, pictures: Pictures | None = None) -> str:
    """The report as HTML text: style, script, chart library and static pictures are all inside.

    `pictures`: the charts where they are being drawn already; without it they are drawn here. Everything of the report
    is escaped. Raises ValueError where a chart cannot be drawn.
    """
    charts = report_charts(report)
    if pictures is None:
        with Pictures(charts) as drawn:
            return render_html(report, drawn)
    view = View(report)
    headings = [part.heading for part in parts(report)]
    bodies = [
        {"heading": heading, "body": Markup(_block_template().render(blocks=blocks))}  # noqa: S704 (rendered, escaped)
        for heading, blocks in chapters(
            report, view, lambda chart: _static_svg(pictures, chart, view.chart_anchor(chart))
        )
    ]
    definitions = [
        {"anchor": view.definitions[item.key], "name": item.name, "text": item.text, "source": item.source}
        for item in report.definitions
    ]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=_plain(report),
            headings=headings,
            chapters=bodies,
            definitions=definitions,
            definitions_heading=headings[-1] if definitions else None,
            meta=meta_lines(report.meta),
            css=style(),
            script=script(),
            bundle=chart_library() if charts else "",
            charts=script_json(_chart_data(charts, view)) if charts else "",
        )
    )


def _chart_data(charts: list[Chart], view: View) -> dict[str, Any]:
    """What the page's script needs to draw the charts."""
    items = {}
    for chart in charts:
        spec = dict(chart.spec)
        spec.setdefault("height", chart.height)
        spec.setdefault("$schema", theme.SCHEMA)
        title, subtitle = one_line(chart.title), one_line(chart.subtitle)
        items[view.chart_anchor(chart)] = {
            "spec": spec,
            "title": title,
            "subtitle": subtitle,
            "file": file_name(title, ".png"),
        }
    return {"charts": items, "config": theme.config("sans-serif"), "dark": theme.DARK}


def _static_svg(pictures: Pictures, chart: Chart, anchor: str) -> Markup:
    """The static picture; its ids get the chart's anchor, since many pictures stand in one page."""
    svg = pictures.get(chart).svg
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{anchor}-", svg[svg.index("<svg") :])
    # as high as the live chart will be, so that nothing moves when it takes the picture's place
    svg = svg.replace("<svg ", '<svg preserveAspectRatio="xMinYMin meet" ', 1)
    return Markup(svg)  # noqa: S704 (made by the engine, which escapes its texts)


def _plain(report: Report) -> dict[str, str]:
    names = ("title", "organisation", "date", "subtitle", "document_number", "notice", "watermark")
    return {name: one_line(getattr(report, name)) for name in names}


def _block_template() -> Any:
    return _environment().get_template("blocks.html.j2")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
