"""The same sums on DuckDB and on Spark: in this process, and on a standalone cluster that the test starts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.spark_cluster import cluster, lacking, settings
from jiaoheng.engine.connection import VARIABLE, EngineError, connect
from jiaoheng.engine.counting import score_counts
from jiaoheng.engine.item_counting import item_counts, item_products, item_pupils
from jiaoheng.methods.counted import histograms
from jiaoheng.methods.counted_items import cross_products_of, item_sums_of
from jiaoheng.methods.county_pass import PassColumn, UnitTree, county_pass
from jiaoheng.methods.crossproducts import CrossProducts, ItemSums, cross_products, item_sums
from jiaoheng.methods.level_kernels import dense_stats, prepare
from jiaoheng.methods.mixed.group_sums import pairs_of
from jiaoheng.methods.mixed.nested import fit_nested
from jiaoheng.methods.mixed.sums import group_sums, sums_expression

WITHOUT = lacking()
# one worker of xdist runs all of it: the cluster stands once (make test distributes by group)
pytestmark = [pytest.mark.skipif(bool(WITHOUT), reason=WITHOUT or "-"), pytest.mark.xdist_group("spark")]

HALF = Fraction(1, 2)
SUBJECTS = ("语文", "数学 A'\"")
CLASSES, SCHOOLS = 60, 12
FULL = {"1(1)": 4, "题 2": 10, "c'\"": 2, "d": 6}
RTOL = 1e-12  # of sums of floats, against Σ|summands|: engines add in their own order


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Small Java processes; the driver's ends with the module."""
    given = settings(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        yield given
        from pyspark import SparkContext

        gateway, SparkContext._gateway, SparkContext._jvm = SparkContext._gateway, None, None
        if gateway is not None:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(60)


@pytest.fixture(scope="module", params=["local[2]", "cluster"])
def master(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """What JIAOHENG_ENGINE would hold."""
    if request.param != "cluster":
        yield request.param
        return
    with cluster(tmp_path_factory.mktemp("cluster"), environment) as address:
        yield address


@pytest.fixture(scope="module")
def spark(master: str) -> Iterator[Any]:
    """The backend that the setting gives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, master)
        backend = connect()
    yield backend
    backend.disconnect()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that both engines read."""
    place = tmp_path_factory.mktemp("rows")
    scores().write_parquet(place / "scores.parquet")
    items()[0].write_parquet(place / "items.parquet")
    frame = pupils()
    frame.write_parquet(place / "pupils.parquet")
    frame[:1300].write_parquet(place / "first.parquet")
    frame[1300:].write_parquet(place / "rest.parquet")
    return place


def scores(count: int = 3000) -> pl.DataFrame:
    """Two subjects in half points; absent pupils are null; one subject has negative steps."""
    rng = np.random.default_rng(4)
    made = pl.DataFrame(
        {
            "class": rng.integers(0, CLASSES, count),
            SUBJECTS[0]: rng.integers(0, 241, count),
            SUBJECTS[1]: rng.integers(-2, 7, count),
        }
    )
    absent = pl.Series(rng.random(count) < 0.1)
    return made.with_columns(pl.when(absent).then(None).otherwise(pl.col(SUBJECTS[0])).alias(SUBJECTS[0]))


def items(count: int = 1500) -> tuple[pl.DataFrame, Any, Any]:
    """Item scores with holes, some pupils without any, as a table and as arrays (−1: none)."""
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.integers(0, full + 1, count) for full in FULL.values()])
    values[rng.random(values.shape) < 0.05] = -1
    values[:7] = -1
    unit = rng.integers(0, SCHOOLS, count)
    columns = {name: pl.Series(values[:, at]).replace(-1, None) for at, name in enumerate(FULL)}
    return pl.DataFrame({"unit": unit, **columns}), values, unit


def pupils(count: int = 3000) -> pl.DataFrame:
    """Two priors with holes (null and NaN), weights in quarters, one outcome of whole points and one of floats."""
    rng = np.random.default_rng(7)
    inner = rng.integers(0, CLASSES, count)
    first = rng.integers(40, 121, count) / 2
    second = rng.integers(0, 101, count)
    effect = rng.normal(0, 4, CLASSES) + np.repeat(rng.normal(0, 3, SCHOOLS), CLASSES // SCHOOLS)
    fine = 10 + 0.7 * first + 0.2 * second + effect[inner] + rng.normal(0, 6, count)
    made = pl.DataFrame(
        {
            "学校": [f"学校{one // 5:02d}" for one in inner],
            "班级": inner % 5,
            "起点": np.where(rng.random(count) < 0.06, np.nan, first),
            "起点 2": pl.Series(second, dtype=pl.Int32),
            "女": rng.random(count) < 0.5,
            "权重": rng.integers(1, 9, count) / 4,
            "终点": fine.round().astype(np.int64),
            "终点（细）": fine,
        }
    )
    gone = pl.Series(rng.random(count) < 0.05)
    lost = pl.Series(rng.random(count) < 0.02)
    return made.with_columns(
        pl.when(gone).then(None).otherwise(pl.col("起点 2")).alias("起点 2"),
        pl.when(lost).then(None).otherwise(pl.col("终点")).alias("终点"),
        pl.col("女").cast(pl.Int8),
    )


def table(backend: Any, path: Path) -> Any:
    return backend.read_parquet(str(path))


def summed(rows: Any, *keys: str, **asked: Any) -> pl.DataFrame:
    """What the expression gives, by its keys in order."""
    return pl.DataFrame(sums_expression(rows, **asked).to_pyarrow()).sort(keys)


def test_the_setting_gives_a_session_there(spark: Any, master: str, folder: Path) -> None:
    """The rows are counted where the setting says: on the worker's executor, or in this process."""
    context = spark._session.sparkContext
    assert spark.name == "pyspark"
    assert context.master == master
    assert table(spark, folder / "pupils.parquet").count().execute() == 3000
    listed = context._jsc.sc().statusStore().executorList(False)
    worked = {one.id() for one in map(listed.apply, range(listed.size())) if one.totalTasks() > 0}
    assert worked == ({"0"} if master.startswith("spark://") else {"driver"})
    with pytest.raises(EngineError, match=f"本进程已连接 Spark“{master}”".replace("[", r"\[")):
        connect("local[1]")


def test_histograms_and_every_figure_of_the_county(spark: Any, folder: Path) -> None:
    """Counts are NumPy's; what is made of them is what the pass over the pupils gives at all three levels."""
    frame = scores()
    counts = pl.DataFrame(score_counts(table(spark, folder / "scores.parquet"), "class", SUBJECTS).to_pyarrow())
    found = histograms(counts, CLASSES, dict.fromkeys(SUBJECTS, HALF))
    parents = (np.arange(CLASSES) // (CLASSES // SCHOOLS), np.zeros(SCHOOLS, np.int64))
    tree = UnitTree(("class", "school", "county"), frame["class"].to_numpy(), parents)
    cuts = {"high": Fraction(2), "all": Fraction(0)}
    columns = {
        name: PassColumn(frame[name].fill_null(0).to_numpy(), frame[name].is_not_null().to_numpy(), HALF, cuts)
        for name in SUBJECTS
    }
    expected = county_pass(columns, tree, ranks=False, threads=1)
    for name in SUBJECTS:
        form = prepare(columns[name].values[:0], None, HALF, cuts)
        histogram = found[name]
        for level, up in zip(tree.names, (*parents, None), strict=True):
            figures, wanted = dense_stats(form, histogram), expected[name].stats[level]
            for part in ("n", "sums", "squares", "twice_median", "lowest", "highest"):
                assert (getattr(figures, part) == getattr(wanted, part)).all(), (name, level, part)
            assert all((figures.reached[cut] == wanted.reached[cut]).all() for cut in cuts)
            histogram = histogram.merge(up) if up is not None else histogram


def test_item_sums_and_cross_products(spark: Any, folder: Path) -> None:
    _, values, unit = items()
    rows = table(spark, folder / "items.parquet")
    counts, people = (
        pl.DataFrame(one.to_pyarrow())
        for one in (item_counts(rows, "unit", FULL), item_pupils(rows, "unit", list(FULL)))
    )
    found = item_sums_of(counts, people, SCHOOLS, len(FULL))
    expected = item_sums(values, list(FULL.values()), unit, SCHOOLS)
    assert all((getattr(found, part) == getattr(expected, part)).all() for part in ItemSums.__slots__)
    crossed = cross_products_of(item_products(rows, list(FULL)).to_pyarrow().to_pylist()[0], list(FULL))
    wanted = cross_products(values)
    assert all(np.array_equal(getattr(crossed, part), getattr(wanted, part)) for part in CrossProducts.__slots__)


def test_group_sums_of_whole_numbers_are_equal_to_the_bit(spark: Any, folder: Path) -> None:
    """Scores in halves and weights in quarters: every product and sum is exact, so the engines may not differ at all."""
    asked: dict[str, Any] = {
        "outcome": "终点",
        "predictors": ("起点", "起点 2", "女"),
        "groups": ("学校", "班级"),
        "priors": ("起点", "起点 2"),
        "weight": "权重",
        "shifts": {"起点": 40.0, "起点 2": 50.0, "终点": 48.0},
    }
    one, other = (
        summed(table(backend, folder / "pupils.parquet"), "g0", "g1", "pattern", **asked)
        for backend in (connect("duckdb"), spark)
    )
    logs = [rows["lw"].to_numpy() for rows in (one, other)]
    assert one.drop("lw").equals(other.drop("lw"))  # keys, patterns, counts and all products
    assert sorted(set(one["pattern"])) == [1, 2, 3]
    np.testing.assert_allclose(logs[0], logs[1], rtol=0, atol=RTOL * np.abs(logs[0]).max())


def test_group_sums_of_floats_and_the_fit(spark: Any, folder: Path) -> None:
    """Sums within 1e-12 of Σ|summands|; effects and intervals of the fit within a billionth of the outcome's spread."""
    names = {"outcome": "终点（细）", "predictors": ("起点", "女"), "groups": ("学校", "班级"), "priors": ("起点",)}
    shifts = {"起点": 40.3, "女": 0.47, "终点（细）": 48.7}
    one, other = (
        summed(table(backend, folder / "pupils.parquet"), "g0", "g1", **names, shifts=shifts)
        for backend in (connect("duckdb"), spark)
    )
    for at, (i, j) in enumerate(pairs_of(4)):
        a, b = one[f"p{at}"].to_numpy(), other[f"p{at}"].to_numpy()
        n = one["n"].to_numpy()
        size = 30.0 ** ((i == 3) + (j == 3) + (i == 1) + (j == 1))  # a bound of the shifted columns
        assert (np.abs(a - b) <= RTOL * n * size).all()
    # the constants to subtract come from each engine's own first rows: another way to the same fit
    fits = [
        fit_nested(group_sums(table(backend, folder / "pupils.parquet"), **names)).fit
        for backend in (connect("duckdb"), spark)
    ]
    assert fits[0].n == fits[1].n
    np.testing.assert_allclose(*[[e.estimate for e in fit.fixed] for fit in fits], rtol=1e-8)
    for level in ("学校", "班级"):
        ours, theirs = fits[0].of(level), fits[1].of(level)
        assert list(ours.units) == list(theirs.units)
        np.testing.assert_allclose(ours.estimate, theirs.estimate, atol=1e-7)
        np.testing.assert_allclose(ours.se, theirs.se, atol=1e-7)
        assert ours.words == theirs.words


@pytest.mark.parametrize("master", ["cluster"], indirect=True)
def test_the_whole_run_on_files(master: str, spark: Any, folder: Path) -> None:
    """`jiaoheng growth` reads two Parquet files on the engine and finds what it finds on DuckDB."""
    from jiaoheng.growth.running import run
    from jiaoheng.growth.settings import GrowthSettings

    asked = GrowthSettings(outcome="终点", priors=("起点",), groups=("学校", "班级"), method="lmm")
    paths = [folder / "first.parquet", folder / "rest.parquet"]
    ours, theirs = (run(paths, asked, engine=engine).fit for engine in ("duckdb", master))
    assert ours.n == theirs.n
    for one, other in zip(ours.effects, theirs.effects, strict=True):
        assert list(one.units) == list(other.units)
        np.testing.assert_allclose(one.estimate, other.estimate, atol=1e-7)
