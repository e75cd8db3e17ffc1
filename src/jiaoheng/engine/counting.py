"""The score histogram as one GROUP BY: from a wide table of integer scores to counts by unit, subject and score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNIT, SUBJECT, SCORE, PUPILS = "unit", "subject", "score", "pupils"


def score_counts(table: Any, unit: str, subjects: Sequence[str]) -> Any:
    """An Ibis expression with one row per (unit, subject, score): columns unit, subject, score, pupils.

    `table` is an Ibis table of one row per pupil with a unit column and one integer column per subject; null is no
    score and is not counted. What comes back is small whatever the number of pupils, and counts of parts add.
    Raises ValueError for a subject that is no integer column of the table: floats do not tie exactly.
    """
    import ibis.selectors as s

    schema = table.schema()
    for name in (unit, *subjects):
        if name not in schema:
            raise ValueError(f"表中没有“{name}”列，现有：{'、'.join(schema.names)}")
    loose = [name for name in subjects if not schema[name].is_integer()]
    if loose:
        raise ValueError(f"“{'、'.join(loose)}”列不是整数。成绩应换算成最小计分单位的整数，否则同分会被判为不同分")
    wide = table.select(**{UNIT: table[unit]}, **{name: table[name].cast("int64") for name in subjects})
    long = wide.pivot_longer(s.cols(*subjects), names_to=SUBJECT, values_to=SCORE)
    scored = long.filter(long[SCORE].notnull())
    return scored.group_by([UNIT, SUBJECT, SCORE]).agg(**{PUPILS: scored.count()})
