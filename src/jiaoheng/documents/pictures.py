"""Charts as pictures. A helper process draws, so that the writers go on meanwhile and a fault there harms nobody.

Cost: 0.4 s to start the engine; then for a chart of 60 rows 0.2 s an SVG and 0.15 s its PNG, nearly all of it letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.chart_parts import LABELS_BY_ROW
from jiaoheng.documents.fonts import CHART_FONT_DIRECTORY
from jiaoheng.documents.model import Chart, Report, Section
from jiaoheng.engine.helper import Answer, Helper

WIDTH = 680  # px: the text width of an A4 page at 110 dpi
SCALE = 1.7  # pixels per CSS pixel: 187 dpi on paper
TALLEST = 860  # px: with its caption on one page
_TOGETHER = 4  # charts that travel to the helper in one call
_SVG_SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"')
_SMALLEST = 8  # px of a letter, 5.2 pt on paper


class Picture:
    """One chart drawn: SVG text, and its PNG, which may still be being drawn and is waited for when it is used."""

    def __init__(self, svg: str, scale: float, png: Callable[[], bytes] | None = None) -> None:
        self.svg = svg
        self._scale = scale
        self._png = png or (lambda: svg_png(svg, scale))

    @cached_property
    def png(self) -> bytes:
        """PNG on white, `scale` pixels per CSS pixel."""
        return self._png()

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of the PNG, known before it is drawn."""
        found = _SVG_SIZE.search(self.svg)
        if found is None:
            raise ValueError("an SVG without its size")
        width, height = (int(float(edge) * self._scale) for edge in found.groups())
        return width, height


def chart_svg(chart: Chart, width: int = WIDTH) -> str:
    """The chart as SVG text (fonts by name). Raises ValueError where the spec cannot be drawn."""
    engine = _engine()
    try:
        svg: str = engine.vegalite_to_svg(static_spec(chart, width), vl_version=theme.VEGA_LITE, config=theme.config())
    except Exception as error:  # the engine raises its own types
        raise ValueError(f"chart {chart.key}: {_first_line(error)}") from error
    return svg


def chart_png(chart: Chart, scale: float = SCALE, width: int = WIDTH) -> bytes:
    """The chart as PNG on white, `scale` pixels per CSS pixel."""
    return svg_png(chart_svg(chart, width), scale)


def svg_png(svg: str, scale: float = SCALE) -> bytes:
    """An SVG of ours as PNG on white."""
    start = svg.index(">", svg.index("<svg")) + 1
    white = svg[:start] + '<rect width="100%" height="100%" fill="#fff"/>' + svg[start:]
    png: bytes = _engine().svg_to_png(white, scale=scale)
    return png


def static_spec(chart: Chart, width: int = WIDTH) -> dict[str, Any]:
    """The spec with a fixed width, for pictures (the width of the whole picture, axes included)."""
    spec = dict(chart.spec)
    if spec.get("width", "container") == "container":
        spec["width"] = width
    spec.setdefault("height", chart.height)
    spec.setdefault("$schema", theme.SCHEMA)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    if isinstance(spec["height"], (int, float)) and spec["height"] > TALLEST:
        # many rows: closer rows and smaller letters keep the picture on one page
        letters = max(_SMALLEST, round(13 * TALLEST / spec["height"]))
        spec["height"] = TALLEST
        spec["config"] = {"axis": {"labelFontSize": letters}, "text": {"fontSize": letters}, "point": {"size": 28}}
    return spec


class _Batch:
    """Charts that travel together: first their SVGs; their PNGs queue up behind the SVGs of the charts after them."""

    def __init__(self, helper: Helper, specs: Sequence[Mapping[str, Any]], scale: float) -> None:
        self._helper, self._scale = helper, scale
        self._lock = Lock()
        self._pngs: Answer[list[bytes]] | None = None
        self._svgs = helper.submit(draw_svgs, specs)
        self._svgs.when_done(self._ask_pngs)

    def svg(self, position: int) -> str:
        """Empty where the chart cannot be drawn."""
        return self._svgs.result()[position]

    def png(self, position: int) -> bytes:
        """The PNG of a chart that has an SVG."""
        return self._ask_pngs(self._svgs.result()).result()[position]

    def _ask_pngs(self, svgs: list[str]) -> Answer[list[bytes]]:
        with self._lock:
            if self._pngs is None:
                self._pngs = self._helper.submit(draw_pngs, svgs, self._scale)
            return self._pngs


class Pictures:
    """Charts drawn by a helper process in the order in which they are added; `get` waits for one. A context manager.

    Without a `helper` one of its own is started and ended with the block. What a helper did not deliver is drawn here
    when it is asked for.
    """

    def __init__(
        self, charts: Iterable[Chart] = (), scale: float = SCALE, width: int = WIDTH, helper: Helper | None = None
    ) -> None:
        self.scale, self._width = scale, width
        self._asked: dict[str, tuple[Chart, _Batch, int]] = {}
        self._done: dict[str, tuple[Chart, Picture]] = {}
        self._helper = helper
        self._own: Helper | None = None
        self.add(charts)

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, charts: Iterable[Chart]) -> None:
        """Have more charts drawn. A chart of a key that is known already is drawn when it is asked for."""
        new = [chart for chart in charts if chart.key not in self._asked]
        if not new:
            return
        if self._helper is None:
            self._helper = self._own = Helper()
        for start in range(0, len(new), _TOGETHER):
            some = new[start : start + _TOGETHER]
            batch = _Batch(self._helper, [static_spec(chart, self._width) for chart in some], self.scale)
            self._asked |= {chart.key: (chart, batch, at) for at, chart in enumerate(some)}

    def get(self, chart: Chart) -> Picture:
        """The picture of a chart; drawn here and now if the helper did not deliver it.

        Raises ValueError where it cannot be drawn.
        """
        known = self._done.get(chart.key)
        if known is None or known[0] != chart:
            picture = self._delivered(chart) or Picture(chart_svg(chart, self._width), self.scale)
            known = self._done[chart.key] = (chart, picture)
        return known[1]

    def close(self) -> None:
        """End the helper where it is our own."""
        if self._own is not None:
            self._own.close()

    def _delivered(self, chart: Chart) -> Picture | None:
        asked, batch, at = self._asked.get(chart.key, (None, None, 0))
        if batch is None or asked != chart or not (svg := batch.svg(at)):
            return None
        return Picture(svg, self.scale, lambda: batch.png(at))


def draw_svgs(specs: Sequence[Mapping[str, Any]]) -> list[str]:
    """SVGs of static specs; "" for one that cannot be drawn (the asker repeats it and raises the reason)."""
    engine, config = _engine(), theme.config()
    svgs: list[str] = []
    for spec in specs:
        try:
            svgs.append(engine.vegalite_to_svg(spec, vl_version=theme.VEGA_LITE, config=config))
        except Exception:  # the engine raises its own types
            svgs.append("")
    return svgs


def draw_pngs(svgs: Sequence[str], scale: float) -> list[bytes]:
    """PNGs of SVGs of ours; b"" for an empty one."""
    return [svg_png(svg, scale) if svg else b"" for svg in svgs]


def warm_up() -> None:
    """Start the engine, which takes as long as five charts."""
    mark: dict[str, Any] = {"data": {"values": [{}]}, "mark": "point"}
    _engine().vegalite_to_svg(mark, vl_version=theme.VEGA_LITE, config=theme.config())


def report_charts(report: Report) -> list[Chart]:
    """Every chart of a report in reading order."""
    return section_charts(report.sections)


def section_charts(sections: Iterable[Section]) -> list[Chart]:
    """Every chart of some sections and their parts in reading order."""
    found: list[Chart] = []
    for section in sections:
        found += [block for block in section.blocks if isinstance(block, Chart)]
        found += section_charts(section.children)
    return found


def chart_characters(charts: Iterable[Chart]) -> frozenset[str]:
    """Every character that stands in the charts' specs, names of units among them."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, str):
            # the names of an axis stand in an expression, escaped (see chart_parts.label_axis)
            labels = value.removesuffix(LABELS_BY_ROW)
            found.update("".join(json.loads(labels)) if labels != value else value)
        elif isinstance(value, Mapping):
            for one in value.values():
                walk(one)
        elif isinstance(value, (list, tuple)):
            for one in value:
                walk(one)

    for chart in charts:
        walk(chart.spec)
    return frozenset(found)


def _engine() -> Any:
    """vl-convert with our fonts known to it (imported late: it takes 0.1 s)."""
    import vl_convert

    if CHART_FONT_DIRECTORY not in _registered:
        vl_convert.register_font_directory(str(CHART_FONT_DIRECTORY))
        _registered.add(CHART_FONT_DIRECTORY)
    return vl_convert


_registered: set[object] = set()


def _first_line(error: Exception) -> str:
    """What the engine says before its stack."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[:2])
