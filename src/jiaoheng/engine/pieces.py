"""The answer of an expression in pieces, so that it need not lie in memory beside what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ROWS = 65_536


def pieces(expression: Any, rows: int = ROWS) -> Iterator[Any]:
    """Arrow record batches of an Ibis table expression, in any order; streamed from DuckDB, whole from other engines."""
    backend = expression.get_backend()
    if backend.name != "duckdb":
        yield from expression.to_pyarrow().to_batches()
        return
    relation = backend.con.sql(backend.compile(expression))
    # DuckDB 2 calls the reader by another name
    reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
    yield from reader(rows)
