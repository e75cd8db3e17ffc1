"""Charts as pictures. A child process draws, so that the writers go on meanwhile and a fault there harms nobody.

Cost on two cores (60 rows, our font): 0.4 s to start the engine, then 0.08 s for an SVG and 0.08 s for its PNG.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.fonts import CHART_FONT_DIRECTORY
from jiaoheng.documents.model import Chart, Report, Section

WIDTH = 680  # px: the text width of an A4 page at 110 dpi
SCALE = 1.7  # pixels per CSS pixel: 187 dpi on paper
TALLEST = 860  # px: with its caption on one page
_SMALLEST = 8  # px of a letter, 5.2 pt on paper


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart drawn: SVG text and PNG bytes, with its size in CSS pixels."""

    svg: str
    png: bytes

    @property
    def size(self) -> tuple[int, int]:
        """Pixels of the PNG."""
        return struct.unpack(">II", self.png[16:24])


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


class Pictures:
    """Draws charts in a child process from now on; `get` waits for one. Use as a context manager.

    Where no child can be started, charts are drawn in this process when they are asked for.
    """

    def __init__(self, charts: Iterable[Chart], scale: float = SCALE, width: int = WIDTH) -> None:
        self._charts = {chart.key: chart for chart in charts}
        self.scale, self._width = scale, width
        self._done: dict[str, Picture] = {}
        self._news = threading.Condition()
        self._reading = False
        self._child: subprocess.Popen[bytes] | None = None
        if self._charts:
            self._start()

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, chart: Chart) -> Picture:
        """The picture of a chart; drawn here and now if the child did not deliver it."""
        with self._news:
            self._news.wait_for(lambda: chart.key in self._done or not self._reading)
            if chart.key in self._done and self._charts.get(chart.key) == chart:
                return self._done[chart.key]
        svg = chart_svg(chart, self._width)
        picture = Picture(svg, svg_png(svg, self.scale))
        self._done[chart.key] = picture
        self._charts[chart.key] = chart
        return picture

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    stream.close()
            self._child = None

    def _start(self) -> None:
        command = [sys.executable, "-m", "jiaoheng.documents.picture_child"]
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            return
        self._reading = True
        threading.Thread(target=self._exchange, args=(self._child,), daemon=True).start()

    def _exchange(self, child: subprocess.Popen[bytes]) -> None:
        """Send every spec, then take the pictures as they come."""
        keys = list(self._charts)
        try:
            if child.stdin is None or child.stdout is None:
                return
            specs = [static_spec(self._charts[key], self._width) for key in keys]
            child.stdin.write(json.dumps({"specs": specs, "scale": self.scale}).encode())
            child.stdin.close()
            for key, svg, png in zip(keys, *[_frames(child.stdout)] * 2, strict=False):
                with self._news:
                    if svg and png:
                        self._done[key] = Picture(svg.decode(), png)
                    self._news.notify_all()
        except (OSError, ValueError):
            pass  # the child died or was closed: `get` draws what is missing
        finally:
            with self._news:
                self._reading = False
                self._news.notify_all()


def report_charts(report: Report) -> list[Chart]:
    """Every chart of a report in reading order."""
    found: list[Chart] = []

    def walk(sections: Iterable[Section]) -> None:
        for section in sections:
            found.extend(block for block in section.blocks if isinstance(block, Chart))
            walk(section.children)

    walk(report.sections)
    return found


def _frames(stream: IO[bytes]) -> Iterator[bytes]:
    """Length-prefixed byte strings."""
    while len(head := stream.read(4)) == 4:
        yield stream.read(struct.unpack(">I", head)[0])


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
