"""Where expressions run: DuckDB inside this process, or the Spark cluster that JIAOHENG_ENGINE names."""

from __future__ import annotations

import os
import re
from typing import Any

from jiaoheng.engine.errors import EngineError

__all__ = ["VARIABLE", "EngineError", "connect"]

VARIABLE = "JIAOHENG_ENGINE"


def connect(url: str | None = None) -> Any:
    """An Ibis backend.

    `url`, or the environment's JIAOHENG_ENGINE: empty or `duckdb` for DuckDB in memory, `duckdb://file` for a DuckDB
    file, `spark://host:port`, `local[n]` or `yarn` for Spark. Raises EngineError with the remedy for anything else,
    and where what Spark needs is missing.
    """
    target = (os.environ.get(VARIABLE, "") if url is None else url).strip()
    if target in ("", "duckdb"):
        return _duckdb(":memory:")
    if target.startswith("duckdb://"):
        return _duckdb(target.removeprefix("duckdb://"))
    if target.startswith("spark://") or target == "yarn" or re.fullmatch(r"local(\[(\d+|\*)\])?", target):
        return _spark(target)
    raise EngineError(
        f"计算引擎“{target}”无法识别。请把环境变量 {VARIABLE} 设为 duckdb、duckdb://文件路径、"
        "spark://主机:端口 或 local[2]，或删除该变量以使用内置的 DuckDB"
    )


def _duckdb(path: str) -> Any:
    import duckdb
    import ibis

    try:
        return ibis.duckdb.connect(path)
    except (duckdb.Error, OSError) as error:
        raise EngineError(f"DuckDB 文件“{path}”打不开：{error}。请核对路径和权限，或关闭正在使用它的程序") from error


def _spark(master: str) -> Any:
    from jiaoheng.engine.spark import spark_session

    session = spark_session(master)
    import ibis

    return ibis.pyspark.connect(session)
