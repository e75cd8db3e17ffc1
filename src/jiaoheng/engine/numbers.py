"""Numbers that are none: NaN in a column means the value is not known, on every engine."""

from __future__ import annotations

from functools import cache
from typing import Any


def is_nan(value: Any) -> Any:
    """Whether a floating-point column is NaN; null where it is null.

    DuckDB (1.x and 2.0) takes a Parquet file's largest value for a bound of all values, but files leave NaN out of it:
    there isnan(x), x = NaN and NULLIF(x, NaN) are folded to "never" without a look at the rows. isfinite is not folded.
    """
    if _engine_of(value) != "duckdb":
        return value.isnan()
    return ~_isfinite()(value) & ~value.isinf()


def without_nan(value: Any) -> Any:
    """The column with null in place of NaN; a column of another type as it is."""
    import ibis

    if not value.type().is_floating():
        return value
    return ibis.ifelse(is_nan(value), ibis.null(value.type()), value)


def _engine_of(value: Any) -> str:
    """Name of the backend of the table that the column comes from; an unbound table is taken for DuckDB's."""
    import ibis

    try:
        return str(value.get_backend().name)
    except ibis.common.exceptions.IbisError:
        return "duckdb"


@cache
def _isfinite() -> Any:
    import ibis

    @ibis.udf.scalar.builtin(name="isfinite", signature=(("float64",), "bool"))
    def finite(x): ...  # type: ignore[no-untyped-def]

    return finite
