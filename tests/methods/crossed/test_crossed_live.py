"""Beside lme4 itself, where R is on the machine: weights, ML, a model without pupils."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from jiaoheng.methods.crossed import factor, fit_crossed

SCRIPT = """
suppressMessages(library(lme4)); a <- commandArgs(TRUE); d <- read.csv(a[1])
m <- lmer(as.formula(a[2]), d, weights = w, REML = a[3] == "REML",
          control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-11, maxfun = 1e5)))
r <- ranef(m, condVar = TRUE); t <- r$t
num <- function(v) paste0("[", paste(sprintf("%.15g", v), collapse = ","), "]")
crit <- if (a[3] == "REML") REMLcrit(m) else deviance(m)
cat(sprintf('{"crit":%s,"beta":%s,"se":%s,"var":%s,"t":%s,"sd":%s}', num(crit), num(fixef(m)),
    num(sqrt(diag(as.matrix(vcov(m))))), num(as.data.frame(VarCorr(m))$vcov), num(t[[1]]), num(sqrt(attr(t, "postVar")[1, 1, ]))))
"""


def has_lme4() -> bool:
    if shutil.which("Rscript") is None:
        return False
    return subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("terms", ["pts", "ts"])
def test_equal_to_lme4_on_this_machine(tmp_path, criterion, terms):
    if not has_lme4():
        pytest.skip("R with lme4 is not on this machine; the stored references are compared instead")
    rng = np.random.default_rng(4)
    n = 1200
    columns = {"p": rng.integers(0, 300, n), "t": rng.integers(0, 40, n)}
    columns["s"] = columns["t"] % 7
    x, w = rng.normal(500, 80, n), rng.uniform(0.5, 3, n)
    y = 0.3 * x + rng.normal(0, 9, 300)[columns["p"]] + rng.normal(0, 6, 40)[columns["t"]]
    y = y + rng.normal(0, 5, 7)[columns["s"]] + rng.normal(0, 12, n) / np.sqrt(w)
    table = np.column_stack((y, x, w, *columns.values()))
    path = tmp_path / "d.csv"
    np.savetxt(path, table, delimiter=",", header="y,x,w,p,t,s", comments="", fmt="%.17g")
    formula = "y ~ x + " + " + ".join(f"(1|{one})" for one in terms)
    ran = subprocess.run(
        ["Rscript", "-e", SCRIPT, str(path), formula, criterion], capture_output=True, text=True, check=True
    )
    wanted = json.loads(ran.stdout)
    fit = fit_crossed(y, x, [factor(one, columns[one]) for one in terms], weights=w, names=["x"], criterion=criterion)
    assert fit.criterion == pytest.approx(wanted["crit"][0], rel=1e-9)
    np.testing.assert_allclose([one.estimate for one in fit.fixed], wanted["beta"], rtol=1e-5)
    np.testing.assert_allclose([one.se for one in fit.fixed], wanted["se"], rtol=1e-5)
    assert sorted(one.value for one in fit.components) == pytest.approx(sorted(wanted["var"]), rel=1e-4)
    np.testing.assert_allclose(fit.of("t").estimate, wanted["t"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fit.of("t").conditional_sd, wanted["sd"], rtol=1e-4)
