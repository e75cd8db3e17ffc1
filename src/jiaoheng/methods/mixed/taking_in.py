"""What an engine gives back of `sums_expression`, as group sums sorted by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jiaoheng.methods.effects_model import FloatArray, IntArray
from jiaoheng.methods.mixed.group_sums import GroupSums, held_pairs, pairs_of


def wholes_of(arrow: Any, columns: int, priors: int) -> tuple[IntArray, FloatArray]:
    """The products over all pupils, by pattern."""
    names = [f"p{at}" for at in range(len(pairs_of(columns)))]
    wholes = np.array([np.asarray(arrow[name].to_numpy(), np.float64) for name in names]).T
    masks = np.asarray(arrow["pattern"].to_numpy(), np.int64) if priors else np.zeros(1, np.int64)
    return masks, wholes


def taken_in(
    batches: Iterable[Any],
    columns: tuple[str, ...],
    priors: tuple[str, ...],
    groups: tuple[str, ...],
    shifts: Mapping[str, float],
    slopes: tuple[int, ...] | None = None,
) -> GroupSums:
    """The sums from the Arrow batches that `sums_expression` gives, sorted by key and pattern (bytewise)."""
    import pyarrow as pa

    count = len(held_pairs(len(columns), slopes)[0])
    numeric = [f"p{at}" for at in range(count)]
    blocks: list[FloatArray] = []
    rest: list[Any] = []
    for piece in batches:
        block = np.empty((count, piece.num_rows))
        for at, name in enumerate(numeric):
            block[at] = piece.column(name).to_numpy(zero_copy_only=False)
        blocks.append(block)
        rest.append(pa.Table.from_batches([piece]).drop_columns(numeric))
    keys = [f"g{at}" for at in range(len(groups))]
    if not rest:
        return _empty(columns, priors, groups, count)
    table = pa.concat_tables(rest).combine_chunks()
    names = set(table.column_names)
    place = _positions(table, keys, names)
    order = table.take(pa.array(place))
    products = np.empty((count, table.num_rows))
    for at in range(count):
        products[at] = np.concatenate([block[at] for block in blocks])[place]
    blocks.clear()

    def numbers(name: str, kind: Any = np.float64) -> Any:
        return np.asarray(order[name].to_numpy(), dtype=kind)

    pattern: IntArray = np.full(table.num_rows, (1 << len(priors)) - 1, np.int64)
    return GroupSums(
        columns=columns,
        priors=priors,
        levels=groups,
        keys=tuple(_Texts(order[name]) for name in keys),
        pattern=numbers("pattern", np.int64) if "pattern" in names else pattern,
        n=numbers("n", np.int64),
        products=products,
        shifts=np.array([0.0, *(float(shifts.get(name, 0.0)) for name in columns[1:])]),
        log_weights=numbers("lw") if "lw" in names else None,
        square_weights=numbers("w2") if "w2" in names else None,
        slopes=slopes,
    )


def _positions(table: Any, keys: list[str], names: set[str]) -> IntArray:
    """Where each row of the sorted table stood."""
    import pyarrow.compute as pc

    by = [(name, "ascending") for name in (*keys, *(["pattern"] if "pattern" in names else []))]
    return np.asarray(pc.sort_indices(table, sort_keys=by).to_numpy(), dtype=np.int64)


def _empty(columns: tuple[str, ...], priors: tuple[str, ...], groups: tuple[str, ...], count: int) -> GroupSums:
    nothing = np.zeros(0, np.int64)
    products = np.zeros((count, 0))
    empty: tuple[list[str], ...] = tuple([] for _ in groups)
    return GroupSums(columns, priors, groups, empty, nothing, nothing, products, np.zeros(len(columns)))


class _Texts(Sequence[str]):
    """A column of text that stays in Arrow until somebody asks for an entry."""

    def __init__(self, column: Any) -> None:
        encoded = column.combine_chunks().dictionary_encode() if hasattr(column, "combine_chunks") else column
        self.codes: IntArray = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        self._words = encoded.dictionary

    def __len__(self) -> int:
        return int(self.codes.size)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        return self._words[int(self.codes[at])].as_py()


def codes_of(keys: Sequence[str]) -> IntArray:
    """A number for each distinct key of a column."""
    if isinstance(keys, _Texts):
        return keys.codes
    found: IntArray = np.unique(np.asarray(keys, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)
    return found
