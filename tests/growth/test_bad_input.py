"""Bad input is a named result or an error with place and remedy, never a silent number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from growth.county import county
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.running import GrowthRefusal, run
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.methods.mixed import search as searching
from jiaoheng.sheets.places import Severity

ROWS = county(schools=12).rows
BASE: dict[str, Any] = {"outcome": "终点", "priors": ("起点",), "groups": ("学校", "班级"), "pupil": "学籍号"}


def ran(tmp_path: Path, rows: pl.DataFrame, **more: Any) -> GrowthResult:
    rows.write_parquet(tmp_path / "数据.parquet")
    return run([tmp_path / "数据.parquet"], GrowthSettings(**{**BASE, **more}))


def refused(tmp_path: Path, rows: pl.DataFrame, **more: Any) -> dict[str, str]:
    """Code → sentence of the errors."""
    with pytest.raises(GrowthRefusal) as stop:
        ran(tmp_path, rows, **more)
    return {one.code: str(one) for one in stop.value.problems if one.severity is Severity.ERROR}


def codes(result: GrowthResult) -> set[str]:
    warned = {one.code for one in (*result.fit.warnings, *result.judging.warnings)}
    return warned | {one.code for one in result.problems}


class TestRefused:
    def test_no_prior(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS.with_columns(pl.lit(None, pl.Float64).alias("起点")))
        assert "没有起点就没有增值" in found["growth-no-prior"]

    def test_no_prior_column_named(self, tmp_path: Path) -> None:
        assert "没有给出起点成绩" in refused(tmp_path, ROWS, priors=())["growth-settings"]

    def test_one_school_with_one_class(self, tmp_path: Path) -> None:
        one = ROWS.filter((pl.col("学校") == "第1中学") & (pl.col("班级") == "九(1)班"))
        assert "请加入别的学校" in refused(tmp_path, one)["one-group"]

    def test_constant_outcome(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS.with_columns(pl.lit(60.0).alias("终点")))
        assert "全部相同" in found["constant-outcome"]

    def test_outcome_that_the_priors_give_exactly(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS.with_columns((pl.col("起点") * 2).alias("终点")))
        assert "完全由其他列算得出" in found["exact-fit"]

    def test_pupil_in_two_schools(self, tmp_path: Path) -> None:
        moved = ROWS.head(1).with_columns(pl.lit("第9中学").alias("学校"))
        found = refused(tmp_path, pl.concat([ROWS, moved]))
        assert "000" in found["growth-two-units"]
        assert "--teacher-shares" in found["growth-two-units"]

    def test_duplicate_rows(self, tmp_path: Path) -> None:
        found = refused(tmp_path, pl.concat([ROWS, ROWS.head(3)]))
        assert "3 名学生在数据中有重复的行" in found["growth-duplicate"]

    def test_infinite_score(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(
            pl.when(pl.col("学籍号") == "00001").then(np.inf).otherwise(pl.col("终点")).alias("终点")
        )
        assert "1 个无穷大" in refused(tmp_path, rows)["growth-infinite"]

    def test_weights_that_are_nothing(self, tmp_path: Path) -> None:
        assert "growth-no-weight" in refused(tmp_path, ROWS.with_columns(w=pl.lit(0.0)), weight="w")
        assert "growth-negative-weight" in refused(tmp_path, ROWS.with_columns(w=pl.lit(-1.0)), weight="w")

    def test_column_that_is_not_there(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS, priors=("中考",))["growth-column"]
        assert "没有列“中考”" in found
        assert "起点" in found

    def test_scores_kept_as_text(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS.with_columns(pl.col("起点").cast(pl.String)))
        assert "存为文字" in found["growth-text-column"]

    def test_too_many_words(self, tmp_path: Path) -> None:
        found = refused(tmp_path, ROWS, covariates=("姓名",)) if "姓名" in ROWS.columns else None
        rows = ROWS.with_columns((pl.int_range(pl.len()) % 30).cast(pl.String).alias("村"))
        found = refused(tmp_path, rows, covariates=("村",))
        assert "30 种不同的文字" in found["growth-words"]

    def test_shares_that_do_not_add_up(self, tmp_path: Path) -> None:
        shares = ROWS.select("学籍号", pl.lit("王老师").alias("教师"), pl.lit(0.8).alias("份额"))
        shares.write_csv(tmp_path / "任教.csv")
        rows = ROWS
        found = refused(tmp_path, rows, method="crossed", groups=("学校",), teacher_shares=tmp_path / "任教.csv")
        assert any("份额" in text for text in found.values()), found

    def test_shares_without_the_columns(self, tmp_path: Path) -> None:
        pl.DataFrame({"甲": [1]}).write_csv(tmp_path / "任教.csv")
        found = refused(tmp_path, ROWS, method="crossed", groups=("学校",), teacher_shares=tmp_path / "任教.csv")
        assert "教师" in found["teacher-shares"]

    def test_damaged_parquet(self, tmp_path: Path) -> None:
        (tmp_path / "坏.parquet").write_bytes(b"PAR1" + b"\0" * 200)
        with pytest.raises(GrowthRefusal, match="读不出"):
            run([tmp_path / "坏.parquet"], GrowthSettings(**BASE))

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"method": "magic"}, "无法识别"),
            ({"groups": ()}, "没有给出单位"),
            ({"covariates": ("起点",)}, "用了两次"),
            ({"slope": "性别"}, "不在起点成绩中"),
            ({"reliability": {"起点": 1.4}}, "不在 0 与 1 之间"),
            ({"reliability": {"起点": 0.9}, "slope": "起点"}, "不能与随机斜率同时使用"),
            ({"method": "crossed", "groups": ("学校",)}, "至少需要两列"),
            ({"persistence": "some"}, "看不懂"),
        ],
    )
    def test_settings(self, tmp_path: Path, more: dict[str, Any], words: str) -> None:
        assert words in refused(tmp_path, ROWS, **more)["growth-settings"]

    def test_changed_locked_list(self, tmp_path: Path) -> None:
        bad = '{"学困生": {"exam": "起点", "pupils": ["00001"], "digest": "0"}}'
        (tmp_path / "locked.json").write_text(bad, encoding="utf-8")
        assert "改动过" in refused(tmp_path, ROWS, locked=tmp_path / "locked.json")["locked-changed"]


class TestNamed:
    def test_one_school_with_classes_compares_the_classes(self, tmp_path: Path) -> None:
        result = ran(tmp_path, ROWS.filter(pl.col("学校") == "第1中学"))
        assert "one-unit" in codes(result)
        assert [one.level for one in result.fit.effects] == ["班级"]

    def test_one_pupil_classes(self, tmp_path: Path) -> None:
        alone = ROWS.with_columns(pl.col("学籍号").alias("班级"))
        result = ran(tmp_path, alone)
        assert "one-pupil-units" in codes(result)
        assert [one.level for one in result.fit.effects] == ["学校"]

    def test_some_one_pupil_classes_are_not_judged(self, tmp_path: Path) -> None:
        some = ROWS.with_columns(
            pl.when(pl.col("学籍号").str.ends_with("7")).then(pl.col("学籍号")).otherwise(pl.col("班级")).alias("班级")
        )
        result = ran(tmp_path, some)
        assert "single-pupil-units" in codes(result)
        small = [row for row in result.fit.of("班级").rows() if row.n == 1]
        assert small
        assert {row.word.value for row in small} == {"样本不足"}

    def test_schools_of_one_class_each(self, tmp_path: Path) -> None:
        assert "same-levels" in codes(ran(tmp_path, ROWS.filter(pl.col("班级") == "九(1)班")))

    def test_collinear_covariates(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns((pl.col("起点") * 2 + 1).alias("又一"), pl.lit(3.0).alias("常"))
        result = ran(tmp_path, rows, covariates=("又一", "常"))
        texts = [one.text for one in result.fit.warnings if one.code == "collinear"]
        assert any("又一" in text and "完全由前面的列决定" in text for text in texts)
        assert any("常" in text and "只有一个取值" in text for text in texts)
        assert [one.name for one in result.fit.fixed] == ["(Intercept)", "起点"]

    def test_nan_is_no_score(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(pl.col("终点").fill_null(np.nan), pl.col("起点").fill_null(np.nan))
        one, other = ran(tmp_path, rows), ran(tmp_path, ROWS)
        assert one.fit.criterion == pytest.approx(other.fit.criterion, rel=1e-12)
        assert one.prepared.counts == other.prepared.counts

    def test_zero_weights_are_left_out_and_named(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(pl.when(pl.col("性别") == "女").then(0.0).otherwise(1.0).alias("w"))
        result = ran(tmp_path, rows, weight="w")
        other = ran(tmp_path, ROWS.filter(pl.col("性别") == "男"))
        assert "growth-zero-weight" in codes(result)
        assert result.fit.criterion == pytest.approx(other.fit.criterion, rel=1e-9)

    def test_separated_intakes(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(
            (pl.col("起点") * 0.05 + pl.col("学校").str.extract(r"(\d+)").cast(pl.Float64) * 10).alias("起点")
        )
        assert "separated" in codes(ran(tmp_path, rows))

    def test_ceiling_and_floor(self, tmp_path: Path) -> None:
        result = ran(tmp_path, ROWS.with_columns(pl.col("终点").clip(75, 90)))
        assert {"ceiling", "floor"} <= codes(result)

    def test_attrition_that_is_not_random(self, tmp_path: Path) -> None:
        weak = (pl.col("学校") == "第3中学") & (pl.col("起点") < 70)
        result = ran(tmp_path, ROWS.with_columns(pl.when(weak).then(None).otherwise(pl.col("终点")).alias("终点")))
        assert "attrition" in codes(result)
        missing = result.judging.missing
        assert missing is not None
        at = result.judging.missing_units.index("第3中学")
        assert missing.high[at] - missing.low[at] > 2

    def test_no_difference_between_units(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(12)
        for seed in range(20):
            noise = np.random.default_rng(seed).normal(0, 5, ROWS.height)
            result = ran(tmp_path, ROWS.with_columns(终点=pl.Series(noise) + pl.col("起点").fill_null(0)))
            if "singular" in codes(result):
                zero = next(one for one in result.fit.components if one.boundary)
                assert zero.value == 0
                assert not result.fit.of(zero.level).estimate.any()
                assert {word.value for word in result.fit.of(zero.level).words} <= {"样本不足", "与预期相当"}
                return
        pytest.fail(f"no singular fit in 20 samples {rng}")

    def test_a_search_without_end_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(searching, "_TURNS", 0)
        monkeypatch.setattr(searching, "_polish", lambda at, values, free: (values, np.eye(int(free.sum()))))
        result = ran(tmp_path, ROWS)
        assert not result.fit.converged
        assert "not-converged" in codes(result)

    def test_words_between_numbers_are_named_with_their_place(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(pl.col("终点").cast(pl.String))
        rows = rows.with_columns(
            pl.when(pl.col("学籍号") == "00003").then(pl.lit("九十")).otherwise(pl.col("终点")).alias("终点")
        )
        rows.write_csv(tmp_path / "成绩.csv")
        result = run([tmp_path / "成绩.csv"], GrowthSettings(**BASE))
        problem = next(one for one in result.problems if one.code == "growth-not-a-number")
        assert problem.place.cell == "H5"
        assert "九十" in problem.message

    def test_rows_without_a_school(self, tmp_path: Path) -> None:
        rows = ROWS.with_columns(
            pl.when(pl.col("学籍号") == "00003").then(None).otherwise(pl.col("学校")).alias("学校")
        )
        result = ran(tmp_path, rows)
        assert "growth-without-group" in codes(result)
        assert result.prepared.counts["no_group"] == 1
