"""From files to a result: any file gives the same, the truth comes back, every method runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from growth.county import county
from jiaoheng.engine.connection import connect
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.running import opened_frame, run
from jiaoheng.growth.settings import GrowthSettings

COUNTY = county()
BASE = {"outcome": "终点", "priors": ("起点", "起点二"), "groups": ("学校", "班级"), "pupil": "学籍号"}


def settings(**more: object) -> GrowthSettings:
    return GrowthSettings(**{**BASE, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("county")
    COUNTY.rows.write_parquet(place / "全县.parquet")
    COUNTY.rows.write_csv(place / "全县.csv")
    COUNTY.rows.write_excel(place / "全县.xlsx")
    (place / "国标.csv").write_bytes(COUNTY.rows.write_csv().encode("gb18030"))
    return place


@pytest.fixture(scope="module")
def result(folder: Path) -> GrowthResult:
    return run([folder / "全县.parquet"], settings(covariates=("性别",), fairness=("寄宿",)))


def test_the_truth_comes_back(result: GrowthResult) -> None:
    effects = result.main
    truth = np.array([COUNTY.effect[unit[0]] for unit in effects.units])
    assert np.corrcoef(truth, effects.estimate)[0, 1] > 0.9
    assert ((effects.low95 <= truth) & (truth <= effects.high95)).mean() > 0.85
    found = {one.name: one for one in result.fit.fixed}
    assert found["起点"].estimate == pytest.approx(0.6, abs=3 * found["起点"].se)
    assert {one.level for one in result.fit.components} == {"学校", "班级", "Residual"}


@pytest.mark.parametrize("name", ["全县.csv", "全县.xlsx", "国标.csv"])
def test_any_file_gives_the_same(folder: Path, name: str, result: GrowthResult) -> None:
    other = run([folder / name], settings(covariates=("性别",)))
    assert other.fit.criterion == pytest.approx(result.fit.criterion, rel=1e-9)
    np.testing.assert_allclose(other.main.estimate, result.main.estimate, atol=1e-7)
    assert list(other.main.units) == list(result.main.units)


def test_splitting_files_changes_nothing(folder: Path, tmp_path: Path, result: GrowthResult) -> None:
    halves = COUNTY.rows.sample(fraction=1, shuffle=True, seed=1)
    halves[:900].write_parquet(tmp_path / "a.parquet")
    halves[900:1500].write_csv(tmp_path / "b.csv")
    halves[1500:].write_excel(tmp_path / "c.xlsx")
    other = run([tmp_path], settings(covariates=("性别",)))
    assert other.fit.n == result.fit.n
    assert other.fit.criterion == pytest.approx(result.fit.criterion, rel=1e-9)
    np.testing.assert_allclose(other.main.estimate, result.main.estimate, atol=1e-7)
    assert [one["rows"] for one in other.files] == [900, 600, 660]


def test_what_stands_beside_the_effects(result: GrowthResult) -> None:
    judging = result.judging
    assert {"学校", "班级"} == set(judging.pairs)
    assert judging.power is not None
    assert judging.power.effects[0] > judging.power.effects[-1]
    names = [one.name for one in judging.sorting]
    assert names == ["起点的平均（生源）", "起点二的平均（生源）", "人数", "寄宿=是的比例"]
    assert judging.missing is not None
    lost = COUNTY.rows.filter(pl.col("终点").is_null()).height
    assert judging.missing.no_outcome.sum() == lost
    assert judging.missing.used.sum() == result.fit.n
    assert result.families is not None
    assert set(result.families.names) >= {"分层线性模型", "残差法（收缩）", "标准分差", "百分等级差", "成长百分位"}
    assert result.families.correlation[0, 1] > 0.95
    assert result.converting is not None
    whole = result.converting.whole["学困生"]
    assert 0 < float(whole.expected_rate[0]) < 1
    assert abs(float(whole.rate.fraction(0) or 0) - float(whole.expected_rate[0])) < 0.15


@pytest.mark.parametrize("method", ["residual", "sgp", "crossed"])
def test_other_methods_put_the_schools_in_a_like_order(folder: Path, method: str, result: GrowthResult) -> None:
    groups = ("学校",) if method == "crossed" else ("学校", "班级")
    more: dict[str, object] = {"method": method, "groups": groups}
    if method == "crossed":
        rows = COUNTY.rows.select("学籍号", pl.concat_str("学校", "班级").alias("教师"))
        rows.write_csv(folder / "任教.csv")
        more["teacher_shares"] = folder / "任教.csv"
    other = run([folder / "全县.parquet"], settings(**more))
    place = {unit: at for at, unit in enumerate(other.main.units)}
    mine = [other.main.estimate[place[unit]] for unit in result.main.units]
    assert np.corrcoef(mine, result.main.estimate)[0, 1] > 0.9
    assert other.fit.method == method
    if method == "crossed":
        assert len(other.fit.of("教师")) == 72


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("whose", [("学籍号",), ("班级",), ("学校", "班级")])
def test_pupils_and_shares_from_files_of_one_kind(
    folder: Path, tmp_path: Path, suffix: str, whose: tuple[str, ...]
) -> None:
    """Two files that are read into memory are two tables: neither takes the other's place."""
    pupils = COUNTY.rows.with_columns(pl.concat_str("学校", "班级").alias("班级"))
    classes = pupils.select("班级").unique(maintain_order=True).with_row_index("教师")
    classes = classes.with_columns(
        pl.format("教师{}", pl.col("教师") // 2), pl.lit(1.0).alias("份额")
    )  # two classes each
    shares = pupils.join(classes, on="班级").select(*whose, "教师", "份额").unique(maintain_order=True)
    for frame, name in ((pupils, "学生"), (shares, "任教")):
        path = tmp_path / f"{name}.{suffix}"
        frame.write_csv(path) if suffix == "csv" else frame.write_excel(path)
    pupils.write_parquet(tmp_path / "学生.parquet")
    asked = settings(
        method="crossed", groups=("学校", "班级"), pupil="学籍号", teacher_shares=tmp_path / f"任教.{suffix}"
    )
    found = run([tmp_path / f"学生.{suffix}"], asked)
    wanted = run([tmp_path / "学生.parquet"], asked)
    for level in ("学校", "教师"):
        mine, theirs = found.fit.of(level), wanted.fit.of(level)
        assert mine.units == theirs.units
        np.testing.assert_allclose(mine.estimate, theirs.estimate, rtol=1e-6, atol=1e-9)
    assert found.judging.edges is not None
    assert found.judging.edges == wanted.judging.edges


def test_two_frames_of_one_name_are_two_tables() -> None:
    backend = connect()
    first = opened_frame(COUNTY.rows, backend)
    second = opened_frame(COUNTY.rows.head(5), backend)
    assert int(first.table.count().to_pyarrow().as_py()) == len(COUNTY.rows)
    assert int(second.table.count().to_pyarrow().as_py()) == 5


def test_school_means_and_reliability(folder: Path) -> None:
    means = run([folder / "全县.parquet"], settings(school_means=True))
    assert "起点的学校平均" in [one.name for one in means.fit.fixed]
    plain = run([folder / "全县.parquet"], settings())
    corrected = run([folder / "全县.parquet"], settings(reliability={"起点": 0.85}))
    assert corrected.fit.fixed[1].estimate > plain.fit.fixed[1].estimate


def test_the_order_of_units_and_the_scale_of_scores_change_nothing(tmp_path: Path, result: GrowthResult) -> None:
    """An affine change of the outcome scales the effects; words and order of names do not matter."""
    changed = COUNTY.rows.with_columns((pl.col("终点") * 2 + 100).alias("终点"), pl.col("起点") * 10 - 50)
    changed.reverse().write_parquet(tmp_path / "x.parquet")
    other = run([tmp_path / "x.parquet"], settings(covariates=("性别",)))
    np.testing.assert_allclose(other.main.estimate, 2 * result.main.estimate, rtol=1e-6)
    assert other.main.words == result.main.words
    assert other.fit.icc == pytest.approx(result.fit.icc, rel=1e-6)


def test_years(tmp_path: Path) -> None:
    parts = [county(seed).rows.with_columns(pl.lit(str(2023 + seed)).alias("届")) for seed in range(3)]
    pl.concat(parts).write_parquet(tmp_path / "届.parquet")
    found = run([tmp_path / "届.parquet"], settings(year="届"))
    assert found.stability is not None
    assert found.stability.years == ("2023", "2024", "2025")
    assert [effects.level for _, effects in found.shown] == ["学校", "班级"]
    assert found.path_names(found.fit.of("班级")) == ("学校", "届", "班级")


def test_names_that_recur_in_several_schools_are_told_where_factors_cross(folder: Path) -> None:
    crossed = run([folder / "全县.parquet"], settings(method="crossed", groups=("学校", "班级")))
    told = {one.code: one.text for one in crossed.fit.warnings}
    assert "3 个名称在不止一个“学校”里出现" in told["names-recur"]
    own = COUNTY.rows.with_columns(pl.concat_str("学校", "班级").alias("班级"))
    own.write_parquet(folder / "各班.parquet")
    unique = run([folder / "各班.parquet"], settings(method="crossed", groups=("学校", "班级")))
    assert "names-recur" not in {one.code for one in unique.fit.warnings}
