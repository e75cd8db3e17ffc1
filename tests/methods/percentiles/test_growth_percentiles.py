"""Growth percentiles: what they are made to say, with whole marks, missing priors, several groups, bands."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from percentile_truth import pupils
from scipy.stats import norm, rankdata

from jiaoheng.methods.effects_model import Reading
from jiaoheng.methods.percentiles import (
    EffectsDataError,
    band_percentiles,
    fit_percentiles,
    group_medians,
    growth_percentiles,
)
from jiaoheng.methods.percentiles.groups import medians


def test_percentiles_are_those_of_the_pupils_own_noise():
    y, priors, noise = pupils(2, 20_000)
    growth = growth_percentiles(y, priors)
    truth = norm.cdf(noise) * 100
    assert np.abs(growth.percentile - truth).mean() < 3
    assert np.corrcoef(growth.percentile, truth)[0, 1] > 0.995
    counts = np.bincount(growth.percentile, minlength=100)[2:99]
    assert counts.min() > 140  # near 200 each
    assert counts.max() < 260
    for prior in priors.T:
        assert abs(np.corrcoef(growth.percentile, prior)[0, 1]) < 0.01
    assert growth.warnings == ()


def test_cuts_are_monotone_and_counting_them_gives_the_percentile():
    y, priors, _ = pupils(5, 1200)
    growth = growth_percentiles(y, priors)
    assert growth.details["crossing"] > 0
    cuts = growth.cuts(priors)
    assert (np.diff(cuts, axis=1) >= 0).all()
    counted = np.clip((cuts < y[:, None] - 1e-9 * np.ptp(y)).sum(axis=1), 1, 99)
    np.testing.assert_array_equal(counted, growth.percentile)
    far = growth.cuts([[-100.0, -100.0], [100.0, 100.0], [np.nan, np.nan]])
    assert np.isfinite(far[:2]).all()
    assert np.abs(far[:2]).max() < 10 * np.abs(y).max()  # no cubic runs away beyond the boundary
    assert np.isnan(far[2]).all()


def test_order_splitting_and_units_change_nothing():
    y, priors, _ = pupils(6, 3000, whole=True)
    plain = growth_percentiles(y, priors).percentile
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_array_equal(growth_percentiles(y[order] * 4 + 3, priors[order] * 2 - 9).percentile, plain[order])


def test_pupils_who_lack_a_prior_are_compared_by_those_they_have():
    y, priors, noise = pupils(7, 8000)
    rng = np.random.default_rng(1)
    holes = priors.copy()
    holes[rng.random(len(y)) < 0.2, 1] = np.nan
    holes[rng.random(len(y)) < 0.02, 0] = np.nan
    growth = growth_percentiles(y, holes, names=("语文", "数学"))
    none = np.isnan(holes).all(axis=1)
    assert (growth.percentile[none] == 0).all()
    assert (growth.percentile[~none] > 0).all()
    alone = np.isnan(holes[:, 1]) & ~np.isnan(holes[:, 0])
    one = growth_percentiles(y[~np.isnan(holes[:, 0])], holes[~np.isnan(holes[:, 0]), 0])
    np.testing.assert_array_equal(growth.percentile[alone], one.percentile[alone[~np.isnan(holes[:, 0])]])
    assert {one.code for one in growth.warnings} == {"prior-missing", "prior-partial"}
    assert np.corrcoef(growth.percentile[~none], noise[~none])[0, 1] > 0.9


def test_a_rare_set_of_priors_falls_back_on_a_part_of_it():
    y, priors, _ = pupils(9, 2000)
    holes = np.column_stack((priors, np.full(2000, np.nan)))
    holes[:50, 2] = np.random.default_rng(1).normal(0, 1, 50)
    growth = growth_percentiles(y, holes)
    plain = growth_percentiles(y, priors)
    np.testing.assert_array_equal(growth.percentile, plain.percentile)


def test_medians_find_the_schools_that_add_and_their_intervals_cover():
    rng = np.random.default_rng(11)
    inside, ends = [], []
    for _ in range(30):
        n = 2500
        school = rng.integers(0, 50, n)
        prior = rng.normal(0, 1, n)
        y = prior + rng.normal(0, 1, n)
        medians_ = group_medians(growth_percentiles(y, prior), "学校", school)
        inside.append((medians_.low95 <= 50) & (medians_.high95 >= 50))
        ends.append(medians_.se)
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(ends) == pytest.approx(50 / np.sqrt(50), rel=0.15)  # of a median of uniform percentiles

    school = rng.integers(0, 40, 20_000)
    prior = rng.normal(0, 1, 20_000)
    y = prior + rng.normal(0, 1, 20_000) + np.where(school < 5, 0.5, 0.0)
    found = group_medians(growth_percentiles(y, prior), "学校", school)
    assert [found.words[i] for i in range(5)] == [Reading.ABOVE] * 5
    assert found.reliability.mean() > 0.5


def test_medians_and_their_errors_by_hand():
    values = np.random.default_rng(0).permutation(np.arange(1, 100))[:31]
    median, se, n = medians(values, np.zeros(31, dtype=np.int64), 1)
    low, high = np.sort(values)[[9, 21]]  # 10th and 22nd of 31: ⌊16 − 1.96·√31/2⌋ = 10
    assert median[0] == np.median(values)
    assert se[0] == pytest.approx((high - low) / 2 / norm.ppf(0.975))
    assert n[0] == 31
    two = medians(np.array([10, 20, 30]), np.array([0, 1, 1]), 2)
    np.testing.assert_array_equal(two[0], [10, 25])
    assert np.isnan(two[1][0])
    assert two[1][1] == pytest.approx(10 / 2 / norm.ppf(0.75))  # the range of two covers half


def test_bands_against_ranks_band_by_band():
    y, priors, _ = pupils(12, 3000, whole=True)
    growth = band_percentiles(y, priors[:, 0])
    assert len(np.unique(growth.model)) <= 20
    for start in np.unique(priors[:, 0]):
        assert len(np.unique(growth.model[priors[:, 0] == start])) == 1
    for band in np.unique(growth.model):
        mine = growth.model == band
        ranks = (rankdata(y[mine]) - 0.5) / mine.sum() * 100
        np.testing.assert_array_equal(growth.percentile[mine], np.clip(np.floor(ranks + 0.5 + 1e-9), 1, 99))
    curves = growth_percentiles(y, priors[:, 0])
    assert np.corrcoef(curves.percentile, growth.percentile)[0, 1] > 0.97


def test_bands_of_several_priors_take_their_mean_standard_score():
    y, priors, _ = pupils(13, 2000)
    priors[:100, 0] = np.nan
    priors[:30, 1] = np.nan
    growth = band_percentiles(y, priors, bins=10)
    assert (growth.percentile[:30] == 0).all()
    assert (growth.percentile[30:] > 0).all()
    assert [one.code for one in growth.warnings] == ["prior-missing"]
    with pytest.raises(ValueError, match="bands"):
        growth.cuts(priors)


def test_whole_fit_for_a_command():
    y, priors, _ = pupils(14, 2500)
    rng = np.random.default_rng(2)
    table = pl.DataFrame({"y": y, "a": priors[:, 0], "b": priors[:, 1], "school": rng.integers(0, 9, 2500)})
    rooms = np.append(rng.integers(0, 50, 2499), 99)
    fit, growth = fit_percentiles(table["y"], table[["a", "b"]], {"学校": table["school"], "班": rooms}, least=10)
    assert fit.method == "sgp"
    assert fit.criterion_name == "pinball"
    assert fit.converged
    assert [one.level for one in fit.effects] == ["学校", "班"]
    assert fit.effects[0].n.sum() == fit.n == 2500
    assert fit.effects[1].words[-1] == Reading.NOT_JUDGED
    assert "single-pupil" in [one.code for one in fit.warnings]
    assert 0.2 < fit.r2["pinball"] < 0.6
    by_band, _ = fit_percentiles(y, priors, {"学校": table["school"]}, bands=20)
    assert by_band.criterion_name == "bands"
    one, _ = fit_percentiles(y, priors, {"学校": ["甲校"] * 2500})
    assert [w.code for w in one.warnings] == ["one-level"]
    assert one.effects[0].estimate[0] == pytest.approx(50, abs=1)
    assert len(growth.percentile) == 2500


Y, PRIORS, _ = pupils(1, 400)
BAD = {
    "no-prior": [(Y, np.full((400, 2), np.nan)), (Y, np.zeros((400, 0))), ([], [])],
    "not-finite": [(np.where(np.arange(400) == 6, np.nan, Y), PRIORS), (Y, np.where(PRIORS > 2, np.inf, PRIORS))],
    "not-numbers": [(["缺考"] * 400, PRIORS), (Y, ["缺考"] * 400)],
    "outcome-constant": [(np.full(400, 60.0), PRIORS)],
    "prior-constant": [(Y, np.column_stack((PRIORS[:, 0], np.full(400, 7.0))))],
    "priors-collinear": [(Y, PRIORS[:, [0, 0]])],
    "too-few-pupils": [(Y[:40], PRIORS[:40, 0])],
    "lengths-differ": [(Y, PRIORS[:-1])],
}


@pytest.mark.parametrize(("code", "case"), [(code, case) for code, cases in BAD.items() for case in cases])
def test_bad_data_are_refused(code, case):
    with pytest.raises(EffectsDataError) as refused:
        growth_percentiles(*case)
    assert refused.value.code == code
    assert all(word not in refused.value.text for word in ("nan", "抱歉"))
    if code not in ("priors-collinear", "too-few-pupils"):
        with pytest.raises(EffectsDataError) as refused:
            band_percentiles(*case)
        assert refused.value.code == code


def test_other_refusals_and_small_counties():
    with pytest.raises(EffectsDataError, match="分段数是 1"):
        band_percentiles(Y, PRIORS, bins=1)
    with pytest.raises(EffectsDataError, match="分位点"):
        growth_percentiles(Y, PRIORS, taus=(0.5, 0.2))
    with pytest.raises(EffectsDataError, match="分组"):
        fit_percentiles(Y, PRIORS, {})
    with pytest.raises(EffectsDataError, match="学校"):
        fit_percentiles(Y, PRIORS, {"学校": [1, 2]})
    with pytest.raises(EffectsDataError, match="第 1 行"):
        fit_percentiles(Y, PRIORS, {"学校": [None, *range(399)]})
    assert [one.code for one in growth_percentiles(Y, PRIORS).warnings] == ["few-pupils"]
    assert [one.code for one in band_percentiles(Y[:60], PRIORS[:60]).warnings] == ["band-small"]
    median = growth_percentiles(Y, PRIORS, taus=(0.25, 0.5, 0.75))
    assert set(np.unique(median.percentile)) <= {1, 33, 67, 99}
