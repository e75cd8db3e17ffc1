"""Charts of an exam report as Vega-Lite: each builder takes plain rows and gives a `Chart` in our one look.

The title is the finding and is written by the caller; the spec holds only the picture. Values arrive in the unit in
which they are printed (23.5 for 23.5 %); rounding is for print only. `pictures.py` draws them.
"""

from jiaoheng.documents.chart_bars import bars, mastery_bars, stacked_levels
from jiaoheng.documents.chart_intervals import Estimate, interval_plot
from jiaoheng.documents.chart_parts import Caption
from jiaoheng.documents.chart_points import Point, item_scatter, scatter, subject_profile
from jiaoheng.documents.chart_spread import distribution, heat_table
from jiaoheng.documents.chart_theme import subject_colour
from jiaoheng.documents.pictures import chart_png, chart_svg

__all__ = [
    "Caption",
    "Estimate",
    "Point",
    "bars",
    "chart_png",
    "chart_svg",
    "distribution",
    "heat_table",
    "interval_plot",
    "item_scatter",
    "mastery_bars",
    "scatter",
    "stacked_levels",
    "subject_colour",
    "subject_profile",
]
