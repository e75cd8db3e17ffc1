"""The quantile process against an exact linear programme; nothing depends on the way it is reached."""

from __future__ import annotations

import numpy as np
import pytest
from percentile_truth import exact_loss, pinball, pupils

from jiaoheng.methods.percentiles import frisch, part, process
from jiaoheng.methods.percentiles.basis import basis_of

TAUS = (0.005, 0.105, 0.305, 0.5, 0.705, 0.905, 0.995)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("banded", [False, True])
def test_pinball_loss_equals_the_linear_programme(monkeypatch, whole, banded):
    if banded:
        monkeypatch.setattr(process, "SMALL", 100)
        monkeypatch.setattr(process, "SAMPLE", 300)
    y, priors, _ = pupils(3, 1500, whole=whole)
    x = basis_of(priors, ("甲", "乙"))[1]
    found = process.fit_process(x, y, TAUS)
    assert found.converged.all()
    for tau, b, loss in zip(TAUS, found.b, found.loss, strict=True):
        wanted = exact_loss(x, y, tau)
        assert pinball(y - x @ b, tau) == pytest.approx(wanted, rel=1e-6)
        assert loss * len(y) == pytest.approx(wanted, rel=1e-6)


def test_without_ties_the_answer_is_a_vertex_and_the_same_by_any_way(monkeypatch):
    y, priors, _ = pupils(8, 6000)
    x = basis_of(priors, ("甲", "乙"))[1]
    banded = process.fit_process(x, y, TAUS)
    monkeypatch.setattr(process, "SMALL", 10**9)
    whole = process.fit_process(x, y, TAUS)
    assert banded.exact.all()
    assert whole.exact.all()
    np.testing.assert_allclose(banded.b, whole.b, rtol=1e-7, atol=1e-9)
    touched = np.sort(np.abs(y[:, None] - x @ banded.b.T), axis=0)[: x.shape[1]]
    assert touched.max() < 1e-9  # as many pupils on each curve as it has coefficients


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (process, "POOL", 0.01),  # pupils outside the pool turn their signs: fitted again from all
        (process, "BLOCK", 1),
        (process, "ROUGH", 0.01),
        (part, "NEAR", 0.01),  # too few single rows: more of them, until they suffice
        (part, "STEPS", 0),  # no Newton steps: the neighbour's plane is the start
        (part, "ROUNDS", 1),  # no second look at the signs: all rows
    ],
)
def test_no_setting_of_the_way_changes_the_answer(monkeypatch, module, name, value):
    y, priors, _ = pupils(8, 6000)
    x = basis_of(priors, ("甲", "乙"))[1]
    monkeypatch.setattr(process, "SMALL", 10**9)
    whole = process.fit_process(x, y, TAUS)
    monkeypatch.setattr(process, "SMALL", 1000)
    monkeypatch.setattr(process, "SPREAD", 0.0)
    monkeypatch.setattr(module, name, value)
    found = process.fit_process(x, y, TAUS)
    np.testing.assert_allclose(found.loss, whole.loss, rtol=1e-9)
    np.testing.assert_allclose(found.b, whole.b, rtol=1e-6, atol=1e-8)


def test_heavy_tails_and_a_lonely_pupil_far_out():
    rng = np.random.default_rng(5)
    prior = np.append(rng.standard_t(2, 4999), 400.0)
    y = 0.5 * prior + rng.standard_cauchy(5000)
    x = basis_of(prior[:, None], ("甲",))[1]
    found = process.fit_process(x, y, TAUS)
    assert found.converged.all()
    for tau, b in zip(TAUS, found.b, strict=True):
        assert pinball(y - x @ b, tau) == pytest.approx(exact_loss(x, y, tau), rel=1e-8)


def test_shares_below_each_curve_are_the_quantiles():
    y, priors, _ = pupils(1, 20_000)
    x = basis_of(priors, ("甲", "乙"))[1]
    found = process.fit_process(x, y, TAUS)
    below = (y[:, None] < x @ found.b.T - 1e-9).sum(axis=0)
    at_or_below = (y[:, None] <= x @ found.b.T + 1e-9).sum(axis=0)
    wanted = np.array(TAUS) * len(y)
    assert (below <= wanted + 1e-6).all()
    assert (at_or_below >= wanted - 1e-6).all()


def test_a_change_of_units_changes_the_curves_alike():
    y, priors, _ = pupils(4, 4000)
    x = basis_of(priors, ("甲", "乙"))[1]
    plain = process.fit_process(x, y, TAUS)
    moved = process.fit_process(x, 500 + 100 * y, TAUS)
    np.testing.assert_allclose(moved.b[:, 0], 500 + 100 * plain.b[:, 0], rtol=1e-6)
    np.testing.assert_allclose(moved.b[:, 1:], 100 * plain.b[:, 1:], rtol=1e-5, atol=1e-6)


def test_too_few_steps_are_told(monkeypatch):
    monkeypatch.setattr(frisch, "MAX_STEPS", 2)
    y, priors, _ = pupils(4, 500)
    x = basis_of(priors, ("甲", "乙"))[1]
    found = process.fit_process(x, y, (0.5,))
    assert not found.converged[0]
