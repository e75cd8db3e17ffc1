"""Student growth percentiles: how a pupil's result stands among pupils who started alike.

The calls (columns may be NumPy arrays, lists, Polars series or Arrow arrays; n pupils):

    growth_percentiles(y, priors, *, taus=PERCENTILE_TAUS) -> Growth
        y (n,), priors (n, k) with NaN where a pupil lacks a prior (a model a pattern of priors). `Growth.percentile`
        (n,) int 1–99 (0: none, no prior at all), `.cuts(priors)` the conditional quantiles, `.warnings`.

    band_percentiles(y, prior, *, bins=20) -> Growth
        the simple version: the prior cut into bins of equal size, percentile rank within the bin.

    group_medians(growth, level, keys, *, least=0.0) -> effects_model.Effects
        median growth percentile a group with its standard error; centre 50.

    fit_percentiles(y, priors, groups, *, least=0.0, bands=0) -> (effects_model.Fit, Growth)
        all of it for a command: `groups` is {level name: keys (n,)}, outermost first; bands > 0 takes that many bins.

Bad data raises `EffectsDataError(code, text)`. Formulas: Betebenner (2009) Educ. Meas. Issues Pract. 28(4), 42–51;
Koenker & Bassett (1978); Portnoy & Koenker (1997); Chernozhukov, Fernández-Val & Galichon (2010).
"""

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.percentiles.bands import band_percentiles
from jiaoheng.methods.percentiles.groups import fit_percentiles, group_medians
from jiaoheng.methods.percentiles.growth import PERCENTILE_TAUS, Growth, growth_percentiles

__all__ = [
    "PERCENTILE_TAUS",
    "EffectsDataError",
    "Growth",
    "band_percentiles",
    "fit_percentiles",
    "group_medians",
    "growth_percentiles",
]
