"""The child process that draws charts: specs as JSON on stdin, length-prefixed SVG and PNG per chart on stdout.

A chart that cannot be drawn gives two empty frames; the parent then draws it and raises the reason.
"""

from __future__ import annotations

import json
import struct
import sys

from jiaoheng.documents import chart_theme as theme
from jiaoheng.documents.pictures import _engine, svg_png


def main() -> None:
    """Draw every spec of stdin."""
    job = json.load(sys.stdin.buffer)
    out = sys.stdout.buffer
    engine, config = _engine(), theme.config()
    for spec in job["specs"]:
        try:
            svg = engine.vegalite_to_svg(spec, vl_version=theme.VEGA_LITE, config=config)
            png = svg_png(svg, job["scale"])
        except Exception:  # the engine raises its own types; the parent repeats the drawing and reports it
            svg, png = "", b""
        for frame in (svg.encode(), png):
            out.write(struct.pack(">I", len(frame)) + frame)
        out.flush()


if __name__ == "__main__":
    main()
