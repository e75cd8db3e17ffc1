"""Files of pupils as one table on the engine: Parquet where it lies, CSV and Excel through the reading process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from jiaoheng.growth.columns import Needed, take_sheet
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading import read_files

Progress = Callable[[str, int, int], None]
_MAGIC = b"PAR1"


@dataclass(slots=True)
class Opened:
    """The rows of all files as one Ibis table, and what was found on the way."""

    table: Any
    backend: Any
    files: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether nothing stops the run."""
        return self.table is not None and not any(one.severity is Severity.ERROR for one in self.problems)


def open_tables(
    paths: Sequence[Path],
    needed: Needed,
    backend: Any,
    *,
    limits: Limits | None = None,
    progress: Progress = lambda *_: None,
) -> Opened:
    """Open files and folders; only the needed columns are kept. Problems are in the result, nothing is raised for them.

    `backend`: an Ibis backend (`engine.connect`).
    """
    opened = Opened(None, backend)
    parquet, others = _sorted_out(paths)
    parts: list[Any] = []
    for path in parquet:
        _take_parquet(path, needed, opened, parts)
    if others:
        sheets: list[pl.DataFrame] = []
        for source in read_files(others, limits=limits, progress=lambda at, of, _: progress("读取文件", at, of)):
            opened.problems += [one for one in source.problems if one.severity is not Severity.NOTE]
            before = len(sheets)
            rows = sum(_take(source, sheet, needed, opened, sheets) for sheet in source.sheets)
            if len(sheets) > before:
                opened.files.append(
                    {"name": source.label, "sha256": source.sha256, "rows": rows, "format": source.true_format}
                )
            elif source.sheets and not any(one.severity is Severity.ERROR for one in source.problems):
                opened.problems.append(_no_columns(source, needed))
        if sheets:
            whole = pl.concat(_aligned(sheets, needed), how="vertical_relaxed")
            parts.append(_placed(backend, whole))
    if parts:
        opened.table = _union(parts, needed)
    elif not any(one.severity is Severity.ERROR for one in opened.problems):
        opened.problems.append(
            Problem(
                "growth-no-files",
                Severity.ERROR,
                Place(),
                "没有找到能读的数据文件",
                "请给出 Parquet、CSV 或 Excel 文件",
            )
        )
    return opened


def _placed(backend: Any, rows: pl.DataFrame) -> Any:
    """Rows in memory as a table of the engine, under a name of its own: a second file must not take the first one's."""
    import ibis

    if backend.name != "duckdb":
        return ibis.memtable(rows)
    name = ibis.util.gen_name("growth_rows")
    backend.con.register(name, rows.to_arrow())
    return backend.table(name)


def _sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Parquet files (by their first bytes), and the rest with folders as they are."""
    parquet: list[Path] = []
    others: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*.parquet") if one.is_file()) if path.is_dir() else []
        parquet += inside
        if path.is_dir() and inside and not any(one.is_file() and one not in inside for one in path.rglob("*")):
            continue
        (parquet if path.is_file() and _is_parquet(path) else others).append(path)
    return parquet, others


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _MAGIC


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _take_parquet(path: Path, needed: Needed, opened: Opened, parts: list[Any]) -> None:
    try:
        table = opened.backend.read_parquet(str(path))
        rows = int(table.count().to_pyarrow().as_py())
    except Exception as error:  # each engine has its own errors for a damaged file
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        message, remedy = f"Parquet 文件读不出：{first}", "请重新导出该文件"
        opened.problems.append(Problem("growth-parquet", Severity.ERROR, Place(path.name), message, remedy))
        return
    names = table.schema().names
    missing = [name for name in needed.every if name not in names]
    if missing:
        message = f"没有列“{'、'.join(missing)}”；现有的列：{'、'.join(names[:30])}"
        remedy = "请核对 --outcome、--prior、--groups 等参数中的列名"
        opened.problems.append(Problem("growth-column", Severity.ERROR, Place(path.name), message, remedy))
        return
    texts = [name for name in needed.numbers if table.schema()[name].is_string()]
    if texts:
        message = f"列“{'、'.join(texts)}”存为文字，应为数字"
        remedy = "请在导出时把成绩列存为数字"
        opened.problems.append(Problem("growth-text-column", Severity.ERROR, Place(path.name), message, remedy))
        return
    opened.files.append({"name": path.name, "sha256": _hash(path), "rows": rows, "format": "parquet"})
    parts.append(table.select(*needed.every))


def _take(source: Any, sheet: Any, needed: Needed, opened: Opened, sheets: list[pl.DataFrame]) -> int:
    frame, problems = take_sheet(source.label, sheet, needed)
    if frame is None:
        return 0
    opened.problems += problems
    sheets.append(frame)
    return frame.height


def _no_columns(source: Any, needed: Needed) -> Problem:
    heads = next(
        (["".join(str(cell).split()) for cell in row if cell not in (None, "")] for row in source.sheets[0].rows), []
    )
    message = f"没有一张表同时有列“{'、'.join(needed.every)}”；第一行是：{'、'.join(heads[:30]) or '空的'}"
    remedy = "请核对 --outcome、--prior、--groups 等参数中的列名与表头一致"
    return Problem("growth-column", Severity.ERROR, Place(source.label), message, remedy)


def _aligned(sheets: Sequence[pl.DataFrame], needed: Needed) -> list[pl.DataFrame]:
    """A covariate that is numbers in one sheet and words in another is words."""
    words = {name for sheet in sheets for name in needed.either if sheet.schema[name] == pl.String}
    return [sheet.with_columns(pl.col(name).cast(pl.String) for name in words) for sheet in sheets]


def _union(parts: Sequence[Any], needed: Needed) -> Any:
    """One table; keys as text, so that files agree whatever their types."""
    words = {name for part in parts for name in needed.either if part.schema()[name].is_string()}

    def alike(part: Any) -> Any:
        schema = part.schema()
        made = {}
        for name in needed.every:
            column = part[name]
            if name in needed.keys or name in words:
                made[name] = column if schema[name].is_string() else column.cast("string")
            elif schema[name].is_boolean():
                made[name] = column.cast("int64").cast("float64")
            else:
                made[name] = column if len(parts) == 1 else column.cast("float64")
        return part.select(**made)

    whole = alike(parts[0])
    for part in parts[1:]:
        whole = whole.union(alike(part), distinct=False)
    return whole
