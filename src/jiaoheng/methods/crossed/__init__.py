"""Crossed and multiple-membership models: pupil × teacher × school over years, shares, persistence of past teachers.

The three calls (columns may be NumPy arrays, lists, Polars series or Arrow arrays; n rows, one a pupil and exam):

    factor(name, keys) -> Factor
        every row belongs to one level: `keys` (n,), any text or number.

    shared_factor(name, row_keys, share_keys, units, shares=None, *, persistence=0.0, row_times=None,
                  share_times=None) -> Factor
        several levels a row by shares that add up to one: a table (m rows) of share_keys (a pupil or a class), units
        (teachers) and shares (None: equal parts), joined to the rows by key and, where times are given, by time (year).
        With times, `persistence` carries teachers of earlier times: 0 forgets them, 1 is the layered model, a number
        between is taken as given, "one" estimates one α for all lags, "each" one α a lag.

    fit_crossed(y, x, factors, *, weights=None, names=None, criterion="REML", least=0.0) -> effects_model.Fit
        y (n,), x (n, p) fixed covariates without the constant (p may be 0; the constant is added), names (p,),
        weights (n,) of precision (variance σ²/w). Effects: one `Effects` a factor, in the order given.

Bad data raises `EffectsDataError(code, text)`; what can be said in spite of it is in `Fit.warnings`.
Formulas: Bates et al. (2015) J. Stat. Softw. 67(1); persistence: McCaffrey et al. (2004) J. Educ. Behav. Stat. 29,
67–101; shares: Browne, Goldstein & Rasbash (2001) Stat. Modelling 1, 103–124.
"""

from jiaoheng.methods.crossed.factors import Factor, factor, shared_factor
from jiaoheng.methods.crossed.fitting import fit_crossed
from jiaoheng.methods.effects_errors import EffectsDataError

__all__ = ["EffectsDataError", "Factor", "factor", "fit_crossed", "shared_factor"]
