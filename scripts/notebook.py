"""Runs the code cells of a notebook one after another in one namespace, without Jupyter.

    python scripts/notebook.py docs/notebooks/value_added.ipynb    run it and store what it shows

What a cell prints and the value of its last line are its outputs: text, and a PNG where the value has one.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

_COLOURS = 64
Notebook = dict[str, Any]


def read(path: Path) -> Notebook:
    """The notebook as it is stored."""
    found: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, notebook: Notebook) -> None:
    """Store it as Jupyter does."""
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def run(notebook: Notebook, name: str = "notebook") -> Notebook:
    """The notebook with the outputs of this run; an exception of a cell is raised with the cell's number in its notes."""
    space: dict[str, Any] = {"__name__": "__main__"}
    cells, number = [], 0
    for at, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            number += 1
            source = "".join(cell["source"])
            try:
                outputs = _outputs(source, space, f"{name}, cell {at + 1}", number)
            except Exception as error:
                error.add_note(f"{name}, cell {at + 1}:\n{source}")
                raise
            cell = {**cell, "execution_count": number, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def texts(notebook: Notebook) -> list[list[str]]:
    """What each code cell shows as text."""
    return [
        ["".join(one.get("text", [])) or "".join(one["data"].get("text/plain", [])) for one in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def _outputs(source: str, space: dict[str, Any], name: str, number: int) -> list[dict[str, Any]]:
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), space)  # noqa: S102 (our own notebook is code)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), space)  # noqa: S307 # nosec B307 (our own notebook is code)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        data: dict[str, Any] = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_png_"):
            data["image/png"] = base64.b64encode(_small(value._repr_png_())).decode("ascii") + "\n"
        outputs.append({"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data})
    return outputs


def _small(png: bytes) -> bytes:
    """The picture in few colours: a third of the size, and no difference to see."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        place = Path(argument)
        write(place, run(read(place), place.name))
