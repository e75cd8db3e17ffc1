"""The engine: connections, and the histogram as one GROUP BY equal to the NumPy pass."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path

import ibis
import numpy as np
import polars as pl
import pytest

from jiaoheng.engine.connection import VARIABLE, EngineError, connect
from jiaoheng.engine.counting import score_counts
from jiaoheng.methods.counted import histograms
from jiaoheng.methods.histogram import ScoreHistogram

HALF = Fraction(1, 2)


def _table(pupils: int = 3000) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    scores = {"语文": rng.integers(0, 241, pupils), "数学 A'\"": rng.integers(-2, 7, pupils)}
    frame = pl.DataFrame({"class": rng.integers(0, 60, pupils), **scores})
    absent = pl.Series(rng.random(pupils) < 0.1)
    return frame.with_columns(pl.when(absent).then(None).otherwise(pl.col("语文")).alias("语文"))


def _stored(backend: ibis.BaseBackend, frame: pl.DataFrame, path: Path) -> ibis.Table:
    frame.write_parquet(path)
    return backend.read_parquet(path)


def _check(backend: ibis.BaseBackend, folder: Path) -> None:
    frame = _table()
    subjects = [name for name in frame.columns if name != "class"]
    table = _stored(backend, frame, folder / "scores.parquet")
    counts = pl.DataFrame(score_counts(table, "class", subjects).to_pyarrow())
    found = histograms(counts, 60, dict.fromkeys(subjects, HALF))
    for name in subjects:
        mask = frame[name].is_not_null().to_numpy()
        values = frame[name].fill_null(0).to_numpy()
        expected = ScoreHistogram.build(values, frame["class"].to_numpy(), 60, mask, HALF)
        assert found[name].low == expected.low
        assert (found[name].counts == expected.counts).all()


def test_duckdb_counts_equal_numpy(tmp_path: Path) -> None:
    _check(connect(), tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed (extra)")
def test_spark_counts_equal_numpy(tmp_path: Path) -> None:
    _check(connect("local[2]"), tmp_path)


def test_counting_is_one_group_by() -> None:
    table = ibis.memtable(_table())
    sql = str(ibis.to_sql(score_counts(table, "class", ["语文"]), dialect="duckdb")).upper()
    assert sql.count("GROUP BY") == 1
    assert " JOIN " not in sql


def test_partitions_add(tmp_path: Path) -> None:
    """Counts of two halves put under each other give the histogram of the whole."""
    frame = _table()
    backend = connect()
    parts = []
    for name, part in (("a", frame[:1700]), ("b", frame[1700:])):
        table = _stored(backend, part, tmp_path / name)
        parts.append(pl.DataFrame(score_counts(table, "class", ["语文"]).to_pyarrow()))
    both = histograms(pl.concat(parts), 60, {"语文": HALF})["语文"]
    whole = _stored(backend, frame, tmp_path / "whole")
    once = histograms(pl.DataFrame(score_counts(whole, "class", ["语文"]).to_pyarrow()), 60, {"语文": HALF})["语文"]
    assert (both.counts == once.counts).all()


def test_float_scores_are_refused() -> None:
    table = ibis.memtable(pl.DataFrame({"class": [0], "语文": [59.5]}))
    with pytest.raises(ValueError, match="“语文”列不是整数"):
        score_counts(table, "class", ["语文"])
    with pytest.raises(ValueError, match="表中没有“数学”列，现有：class、语文"):
        score_counts(table, "class", ["数学"])


def test_unknown_subject_rows_are_refused() -> None:
    rows = pl.DataFrame({"unit": [0], "subject": ["音乐"], "score": [1], "pupils": [1]})
    with pytest.raises(ValueError, match="音乐"):
        histograms(rows, 1, {"语文": HALF})


def test_unknown_engine_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "oracle://x")
    with pytest.raises(EngineError, match="计算引擎“oracle://x”无法识别。请把环境变量 JIAOHENG_ENGINE"):
        connect()


def test_spark_without_pyspark_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else real(name))
    with pytest.raises(EngineError, match="没有安装 Spark。请运行 pip install"):
        connect("spark://host:7077")


def test_duckdb_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"打不开.*请核对路径和权限"):
        connect(f"duckdb://{tmp_path}/no/such/folder/x.duckdb")


def test_duckdb_file_is_kept(tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/x.duckdb"
    first = connect(url)
    first.raw_sql("create table t as select 1 as a union all select 2")
    first.disconnect()
    assert connect(url).table("t").count().execute() == 2
