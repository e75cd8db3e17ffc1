"""The engine: connections, and the histogram as one GROUP BY equal to the NumPy pass."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import socket
from fractions import Fraction
from pathlib import Path

import ibis
import numpy as np
import polars as pl
import pytest

from jiaoheng.engine import spark
from jiaoheng.engine.connection import VARIABLE, EngineError, connect
from jiaoheng.engine.counting import score_counts
from jiaoheng.engine.item_counting import MEASURES, item_counts, item_products, item_pupils
from jiaoheng.engine.numbers import is_nan, without_nan
from jiaoheng.methods.counted import histograms
from jiaoheng.methods.counted_items import cross_products_of, item_sums_of
from jiaoheng.methods.crossproducts import ItemSums, cross_products, item_sums
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.mixed.sums import sums_expression

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


def test_nan_in_a_parquet_file_is_not_known(tmp_path: Path) -> None:
    """DuckDB believes a file's bounds, which leave NaN out; sums over such a file must not."""
    frame = pl.DataFrame({"unit": ["a", "a", "b"], "x": [1.5, float("nan"), float("inf")], "y": [1, 2, None]})
    table = _stored(connect(), frame, tmp_path / "nan.parquet")
    marked = table.select(nan=is_nan(table.x), x=without_nan(table.x), y=without_nan(table.y))
    found = marked.agg(
        nan=marked.nan.sum(), x=marked.x.count(), y=marked.y.sum(), least=marked.x.min(), none=marked.x.isnull().sum()
    )
    assert found.to_pyarrow().to_pylist() == [{"nan": 1, "x": 2, "y": 3, "least": 1.5, "none": 1}]
    assert table.filter(is_nan(table.x)).count().execute() == 1
    sums = sums_expression(table.filter(table.unit == "a"), outcome="y", predictors=("x",), groups=("unit",))
    assert sums.to_pyarrow().to_pydict()["n"] == [1]
    assert is_nan(ibis.table({"x": "float64"}, name="later").x).type().is_boolean()


def test_item_sums_equal_numpy(tmp_path: Path) -> None:
    """By unit and item, and all cross products; one GROUP BY each, no join. With a given total, too."""
    rng = np.random.default_rng(1)
    full = {"1(1)": 4, "题 2": 10, "c'\"": 2}
    values = np.column_stack([rng.integers(0, mark + 1, 400) for mark in full.values()])
    values[rng.random(values.shape) < 0.1] = -1
    values[:5] = -1
    unit = rng.integers(0, 9, 400)
    columns = {name: pl.Series(values[:, at]).replace(-1, None) for at, name in enumerate(full)}
    given = np.where(np.arange(400) % 50 == 7, -1, values.clip(0).sum(axis=1) + 3)
    table = _stored(connect(), pl.DataFrame({"unit": unit, "卷面": given, **columns}), tmp_path / "items.parquet")
    for total in (None, "卷面"):
        asked = item_counts(table, "unit", full, total)
        sql = str(ibis.to_sql(asked, dialect="duckdb")).upper()
        assert sql.count("GROUP BY") == 1
        assert " JOIN " not in sql
        people = pl.DataFrame(item_pupils(table, "unit", list(full), total).to_pyarrow())
        found = item_sums_of(pl.DataFrame(asked.to_pyarrow()), people, 9, 3)
        expected = item_sums(values, list(full.values()), unit, 9, None if total is None else given)
        assert all((getattr(found, part) == getattr(expected, part)).all() for part in ItemSums.__slots__)
    crossed = cross_products_of(item_products(table, list(full)).to_pyarrow().to_pylist()[0], list(full))
    wanted = cross_products(values)
    assert (crossed.n, crossed.incomplete) == (wanted.n, wanted.incomplete)
    assert (crossed.sums == wanted.sums).all()
    assert (crossed.products == wanted.products).all()


def test_item_sums_of_nobody_and_of_wrong_columns(tmp_path: Path) -> None:
    none = pl.DataFrame({"unit": [0], "a": pl.Series([None], dtype=pl.Int64), "b": [1.5]})
    table = _stored(connect(), none, tmp_path / "none.parquet")
    empty = cross_products_of(item_products(table, ["a"]).to_pyarrow().to_pylist()[0], ["a"])
    assert (empty.n, empty.incomplete, empty.products.tolist()) == (0, 0, [[0]])
    with pytest.raises(ValueError, match="“b”列不是整数"):
        item_products(table, ["a", "b"])
    with pytest.raises(ValueError, match="没有“c”列，现有：unit、a、b"):
        item_counts(table, "unit", {"c": 2})
    rows = pl.DataFrame({"unit": [4], "item": ["i0"], **{name: [1] for name in MEASURES}})
    with pytest.raises(ValueError, match="unit numbers must lie between 0 and 3"):
        item_sums_of(rows, pl.DataFrame({"unit": [0], "pupils": [1]}), 4, 1)


def test_spark_without_pyspark_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else real(name))
    with pytest.raises(EngineError, match=r"没有安装 Spark。请运行 pip install 'jiaoheng\[spark\]'"):
        connect("spark://host:7077")


def _with_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were installed: what is looked at before it is imported."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))


def test_spark_without_java_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_pyspark(monkeypatch)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="本机没有 Java。请安装 Java 17"):
        connect("local[2]")


def test_spark_master_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at once, with every address; Spark itself would try for a minute."""
    _with_pyspark(monkeypatch)
    monkeypatch.setattr(spark, "find_java", lambda: "java")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=rf"127\.0\.0\.1:{port}（.+）、localhost:{port}（.+）。请核对主机和端口"):
            connect(f"spark://127.0.0.1:{port},localhost:{port}")


def test_duckdb_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"打不开.*请核对路径和权限"):
        connect(f"duckdb://{tmp_path}/no/such/folder/x.duckdb")


def test_duckdb_file_is_kept(tmp_path: Path) -> None:
    url = f"duckdb://{tmp_path}/x.duckdb"
    first = connect(url)
    first.raw_sql("create table t as select 1 as a union all select 2")
    first.disconnect()
    assert connect(url).table("t").count().execute() == 2
