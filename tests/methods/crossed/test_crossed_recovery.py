"""Known teacher effects are found again: shares, layered data, persistence, coverage of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from crossed_truth import layered, matrix

from jiaoheng.methods.crossed import factor, fit_crossed, shared_factor


def simulated(seed, alpha, persistence, pupils=1500, teachers=10, schools=6):
    rng = np.random.default_rng(seed)
    data = layered(rng, pupils=pupils, teachers=teachers, schools=schools)
    teacher = shared_factor(
        "教师", data["pupil"], data["owner"], data["who"], data["part"],
        persistence=persistence, row_times=data["year"], share_times=data["when"],
    )  # fmt: skip
    full = shared_factor(
        "教师", data["pupil"], data["owner"], data["who"], data["part"],
        persistence=1.0, row_times=data["year"], share_times=data["when"],
    )  # fmt: skip
    truth = rng.normal(0, 6, len(teacher.levels))
    x = rng.normal(0, 1, len(data["pupil"]))
    y = 500 + 12 * x + matrix(full, alpha) @ truth + rng.normal(0, 15, pupils)[data["pupil"]]
    y = y + rng.normal(0, 4, schools)[data["school"]] + rng.normal(0, 10, len(y))
    return y, x, [factor("学生", data["pupil"]), teacher, factor("学校", data["school"])], truth


@pytest.mark.parametrize(("alpha", "persistence"), [(0.0, 0.0), (1.0, 1.0), (0.4, "one"), (0.4, "each")])
def test_variances_persistence_and_teachers_are_recovered(alpha, persistence):
    y, x, factors, truth = simulated(5, alpha, persistence)
    fit = fit_crossed(y, x, factors, names=["起点"])
    assert fit.converged
    sds = [one.sd for one in fit.components]
    assert sds[0] == pytest.approx(15, rel=0.06)
    assert sds[1] == pytest.approx(6, rel=0.15)
    assert sds[3] == pytest.approx(10, rel=0.04)
    assert fit.fixed[1].estimate == pytest.approx(12, abs=4 * fit.fixed[1].se)
    for one in fit.fixed[2:]:
        assert "持续系数" in one.name
        assert one.estimate == pytest.approx(alpha, abs=4 * one.se)
        assert one.se < 0.1
    teacher = fit.of("教师")
    # the squared correlation of û and u is the reliability that the model claims
    assert np.corrcoef(teacher.estimate, truth)[0, 1] == pytest.approx(np.sqrt(teacher.reliability.mean()), abs=0.06)
    covered = (teacher.low95 <= truth) & (truth <= teacher.high95)
    assert 0.9 <= covered.mean() <= 1.0


def test_intervals_cover_and_shrinkage_is_unbiased_over_many_small_fits():
    inside, guessed, real = 0, [], []
    for seed in range(40):
        y, x, factors, truth = simulated(100 + seed, 0.0, 0.0, pupils=200, teachers=8, schools=3)
        fit = fit_crossed(y, x, factors)
        teacher = fit.of("教师")
        inside += int(((teacher.low95 <= truth) & (truth <= teacher.high95)).sum())
        guessed.append(teacher.estimate)
        real.append(truth)
    assert 0.93 <= inside / sum(map(len, real)) <= 0.97
    assert np.polyfit(np.concatenate(guessed), np.concatenate(real), 1)[0] == pytest.approx(1, abs=0.06)  # E(u | û) = û


def test_a_model_without_persistence_on_layered_data_fits_worse():
    y, x, factors, _ = simulated(9, 1.0, 1.0)
    _, _, forgetting, _ = simulated(9, 1.0, 0.0)
    assert fit_crossed(y, x, factors).criterion < fit_crossed(y, x, forgetting).criterion - 100


def test_halves_of_a_shared_class_weigh_half():
    rng = np.random.default_rng(3)
    pupil = np.arange(4000)
    room = pupil // 40
    owner = np.concatenate((np.arange(100), np.arange(0, 100, 2)))
    who = np.concatenate((np.arange(100), np.arange(0, 100, 2) + 1))
    part = np.where(np.concatenate((np.arange(100) % 2 == 0, np.ones(50, bool))), 0.5, 1.0)
    teacher = shared_factor("教师", room, owner, who, part)
    truth = rng.normal(0, 8, 100)
    y = matrix(teacher) @ truth + rng.normal(0, 5, 4000)
    effects = fit_crossed(y, None, [teacher, factor("班", room // 5)]).of("教师")
    assert effects.n.sum() == pytest.approx(4000)
    assert effects.n[0] == 20
    assert effects.n[1] == 60
    assert np.corrcoef(effects.estimate, truth)[0, 1] > 0.9


def test_order_of_units_and_change_of_scale_change_nothing_else():
    y, x, factors, _ = simulated(4, 0.0, 0.0, pupils=150, teachers=6, schools=3)
    one = fit_crossed(y, x, factors)
    order = np.random.default_rng(0).permutation(len(y))
    names = [np.array(f.levels)[f.level[np.argsort(f.row, kind="stable")]] for f in factors if f.simple]
    moved = [factor("学校", names[1][order]), factor("学生", names[0][order])]
    plain = fit_crossed(y, x, [factors[2], factors[0]])
    again = fit_crossed(y[order] * 10 + 1e6, x[order] * 3 - 700, moved)
    np.testing.assert_allclose(again.of("学校").estimate, plain.of("学校").estimate * 10, rtol=1e-4, atol=1e-3)
    assert again.fixed[1].estimate == pytest.approx(plain.fixed[1].estimate * 10 / 3, rel=1e-6)
    assert one.converged
