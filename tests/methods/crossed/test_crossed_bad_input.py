"""Bad data: refused with a code and a Chinese sentence that names the place, or told in a warning."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from jiaoheng.methods.crossed import EffectsDataError, factor, fit_crossed, shared_factor
from jiaoheng.methods.crossed.communities import Division, communities
from jiaoheng.methods.crossed.design import build
from jiaoheng.methods.effects_columns import once

RNG = np.random.default_rng(1)
N = 120
PUPIL = np.repeat(np.arange(40), 3)
SCHOOL = np.array(["甲校", "乙校", "丙校", "丁校"])[PUPIL % 4]
TEACHER = RNG.integers(0, 12, N)
X = RNG.normal(0, 1, (N, 2))
Y = RNG.normal(0, 1, N) + RNG.normal(0, 1, 40)[PUPIL] + RNG.normal(0, 1, 12)[TEACHER]


def factors():
    return [factor("学生", PUPIL), factor("教师", TEACHER), factor("学校", SCHOOL)]


def changed(values, at, value):
    out = np.array(values, dtype=float)
    out[at] = value
    return out


FITS = {
    "not-finite": [
        (changed(Y, 4, np.nan), X, factors, {}, "第 5 行"),
        (Y, changed(X, (6, 1), np.inf), factors, {}, "起点2"),
    ],
    "not-numbers": [(["缺考"] * N, X, factors, {}, "结果")],
    "outcome-constant": [(np.full(N, 60.0), X, factors, {}, "60")],
    "covariates-collinear": [(Y, np.column_stack((X[:, 0], 2 * X[:, 0] + 7)), factors, {}, "起点")],
    "covariate-constant": [(Y, np.column_stack((X[:, 0], np.full(N, 3.0))), factors, {}, "起点2")],
    "one-level": [(Y, X, lambda: [factor("学生", PUPIL), factor("学校", ["甲校"] * N)], {}, "甲校")],
    "level-per-row": [(Y, X, lambda: [factor("学生", np.arange(N)), factor("学校", SCHOOL)], {}, "学生")],
    "same-groups": [(Y, X, lambda: [factor("学校", SCHOOL), factor("区", [f"区{s}" for s in SCHOOL])], {}, "区")],
    "weight-wrong": [(Y, X, factors, {"weights": changed(np.ones(N), 2, -1)}, "第 3 行")],
    "lengths-differ": [(Y[:-1], X[:-1], factors, {}, str(N - 1))],
    "no-groups": [(Y, X, list, {}, "分组")],
    "criterion-wrong": [(Y, X, factors, {"criterion": "LS"}, "LS")],
    "too-few-rows": [(Y[:4], X[:4], lambda: [factor("学校", SCHOOL[:4])], {}, "4 行")],
}


@pytest.mark.parametrize(("code", "case"), [(code, case) for code, cases in FITS.items() for case in cases])
def test_refused_with_place(code, case):
    y, x, made, options, words = case
    with pytest.raises(EffectsDataError) as refused:
        fit_crossed(y, x, made(), names=["起点", "起点2"], **options)
    assert refused.value.code == code
    assert words in refused.value.text


OWNER, WHO = ["S1", "S1", "S2", "S3"], ["张", "李", "张", "李"]
SHARES = {
    "share-sum": ((["S1", "S2", "S3"], OWNER, WHO, [0.5, 0.3, 1, 1]), {}, "“S1”的教师份额之和是 0.8"),
    "share-not-positive": ((["S1", "S2", "S3"], OWNER, WHO, [1, 0, 1, 1]), {}, "李"),
    "share-duplicate": ((["S1"], ["S1", "S1"], ["张", "张"], [0.5, 0.5]), {}, "“S1”的教师“张”"),
    "share-missing": ((["S1", "S9"], OWNER, WHO, [0.5, 0.5, 1, 1]), {}, "第 2 行的“S9”"),
    "key-missing": ((["S1", None], OWNER, WHO, [0.5, 0.5, 1, 1]), {}, "第 2 行"),
    "share-times": ((["S1"], OWNER, WHO, None), {"persistence": 1.0}, "时间"),
    "persistence-wrong": ((["S1"], OWNER, WHO, None), {"persistence": "some"}, "some"),
}


@pytest.mark.parametrize("code", SHARES)
def test_shares_are_checked(code):
    arguments, options, words = SHARES[code]
    with pytest.raises(EffectsDataError) as refused:
        shared_factor("教师", *arguments, **options)
    assert refused.value.code == code
    assert words in refused.value.text


def test_share_sum_names_the_year():
    with pytest.raises(EffectsDataError, match="“S1”（2025）"):
        shared_factor(
            "教师", ["S1", "S1"], ["S1", "S1"], ["张", "李"], [1, 0.4], row_times=[2024, 2025], share_times=[2024, 2025]
        )


def test_a_key_of_several_columns_is_written_apart():
    with pytest.raises(EffectsDataError, match="“甲校 · 1班”的教师份额之和是"):
        shared_factor("教师", ["甲校\x1f1班"], ["甲校\x1f1班"], ["张"], [0.9])


def test_the_same_pupil_twice_in_one_exam_is_named():
    once("成绩", 学籍号=["A", "B", "A"], 学年=[2024, 2024, 2025])
    with pytest.raises(EffectsDataError) as refused:
        once("成绩", 学籍号=["A", "B", "A", "B"], 学年=[2024, 2024, 2025, 2024])
    assert refused.value.code == "duplicate-rows"
    assert "第 2 行和第 4 行都是学籍号 B，学年 2024" in refused.value.text


def test_rows_of_weight_zero_are_left_out_and_told():
    weights = np.ones(N)
    weights[:9] = 0
    fit = fit_crossed(Y, X, factors(), weights=weights)
    kept = [factor("学生", PUPIL[9:]), factor("教师", TEACHER[9:]), factor("学校", SCHOOL[9:])]
    assert [one.code for one in fit.warnings if one.code == "weight-zero"] == ["weight-zero"]
    assert fit.n == N - 9
    assert fit.criterion == pytest.approx(fit_crossed(Y[9:], X[9:], kept).criterion, abs=1e-8)


def test_a_factor_without_any_difference_is_singular_not_an_error():
    y = RNG.normal(0, 1, N) - np.repeat([0, 0.0], 60)
    y = y - np.bincount(PUPIL % 4, weights=y)[PUPIL % 4] / 30  # schools differ by less than chance
    fit = fit_crossed(y, None, [factor("学校", PUPIL % 4), factor("教师", TEACHER)])
    school = next(one for one in fit.components if one.level == "学校")
    assert school.boundary
    assert school.value == 0
    assert (fit.of("学校").estimate == 0).all()
    assert any(one.code == "singular" and "学校" in one.text for one in fit.warnings)


def test_no_convergence_is_named():
    fit = fit_crossed(Y, X, factors(), most_evaluations=2)
    assert not fit.converged
    assert [one.code for one in fit.warnings if one.code == "not-converged"] == ["not-converged"]


def test_separated_groups_and_single_rows_are_named():
    separate = np.where(PUPIL % 4 < 2, TEACHER % 6, 6 + TEACHER % 6)
    fit = fit_crossed(Y, X, [factor("学生", PUPIL), factor("教师", separate)])
    assert any(one.code == "separate-groups" and "2 组" in one.text for one in fit.warnings)
    rooms = np.where(np.arange(N) < 70, np.arange(N), 70 + np.arange(N) % 5)
    fit = fit_crossed(Y, X, [factor("班", rooms), factor("学校", SCHOOL)])
    assert any(one.code == "mostly-single" and "70 个" in one.text for one in fit.warnings)
    assert np.isfinite(fit.of("班").se).all()


def test_columns_of_any_maker_give_the_same_answer():
    plain = fit_crossed(Y, X, factors())
    table = pl.DataFrame({"y": Y, "pupil": PUPIL.astype(str), "teacher": TEACHER, "school": SCHOOL})
    from_polars = [factor("学生", table["pupil"]), factor("教师", table["teacher"]), factor("学校", table["school"])]
    arrow = table.to_arrow()
    from_arrow = [factor("学生", arrow["pupil"]), factor("教师", pa.array(TEACHER)), factor("学校", arrow["school"])]
    for made, y in ((from_polars, table["y"]), (from_arrow, arrow["y"])):
        assert fit_crossed(y, X, made).criterion == pytest.approx(plain.criterion, abs=1e-9)


def design_of(y, made):
    return build(y, np.zeros((len(y), 0)), [], made, np.ones(len(y)))


@pytest.mark.parametrize("movers", [0, 150])
def test_blocks_change_nothing(monkeypatch, movers):
    rng = np.random.default_rng(5)
    school = rng.integers(0, 40, 3000)
    pupil = np.repeat(np.arange(3000), 2)
    home = school[pupil]
    home[1 : 2 * movers : 2] = (home[1 : 2 * movers : 2] + 21) % 40
    teacher = home * 12 + rng.integers(0, 12, 6000)
    y = rng.normal(0, 1, 480)[teacher] + rng.normal(0, 1, 3000)[pupil] + rng.normal(0, 1, 6000)
    made = [factor("学生", pupil), factor("教师", teacher), factor("学校", home), factor("区", home % 4)]
    assert communities(design_of(y, made)).block.max() > 0
    blocks = fit_crossed(y, None, made)
    assert bool(len(communities(design_of(y, made)).explicit)) == bool(movers)
    dense = lambda design: Division(np.full(design.q, -1, dtype=np.int64), np.zeros(0, dtype=np.int64))  # noqa: E731
    monkeypatch.setattr("jiaoheng.methods.crossed.fitting.communities", dense)
    whole = fit_crossed(y, None, made)
    assert blocks.criterion == pytest.approx(whole.criterion, abs=1e-8)
    for one, other in zip(blocks.effects, whole.effects, strict=True):
        np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(one.se, other.se, rtol=1e-8)
