"""The understanding of many sheets, on two cores where there is a helper process and enough to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from jiaoheng.engine.helper import Answer, Helper
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.reading_model import SheetReading
from jiaoheng.sheets.understand import understand_file
from jiaoheng.sheets.workbook import Sheet, SourceFile

_WORTH_IT = 100_000  # cells: below, a helper is not yet awake when the work is done
_AT_ONCE = 60_000  # cells that travel together
_AHEAD = 2  # bundles that the helper has before it: one at work, one waiting
_GONE = cast(Sheet, None)  # sheets do not travel back: the asker has them

Counted = Callable[[int, int], None]  # files done, files in all


@dataclass(frozen=True, slots=True)
class _Bundle:
    positions: tuple[int, ...]
    answer: Answer[list[list[tuple[int, SheetReading]]]]


def understand_files(
    sources: Sequence[SourceFile], answers: Answers, told: Counted, helper: Helper | None = None
) -> tuple[SheetReading, ...]:
    """The readings of every file in order; the same with and without a helper.

    Files are taken from the front here and from the end by the helper until none is left.
    """
    found: list[list[SheetReading]] = [[] for _ in sources]
    left = deque(range(len(sources)))
    shared = helper if helper is not None and helper.running and _cells(sources) >= _WORTH_IT else None
    away: deque[_Bundle] = deque()
    done = 0
    while left or away:
        while shared is not None and left and len(away) < _AHEAD:
            away.append(_given(shared, sources, left, answers))
        if left and not (away and away[0].answer.done()):
            position = left.popleft()
            found[position] = understand_file(sources[position], answers=answers)
            done += 1
        else:
            bundle = away.popleft()
            for position, readings in zip(bundle.positions, bundle.answer.result(), strict=True):
                found[position] = [replace(one, sheet=sources[position].sheets[at]) for at, one in readings]
            done += len(bundle.positions)
        told(done, len(sources))
    return tuple(reading for readings in found for reading in readings)


def _given(helper: Helper, sources: Sequence[SourceFile], left: deque[int], answers: Answers) -> _Bundle:
    """The next files from the end, as many as travel together."""
    positions: list[int] = []
    cells = 0
    while left and (not positions or cells < _AT_ONCE):
        positions.append(left.pop())
        cells += _cells([sources[positions[-1]]])
    return _Bundle(tuple(positions), helper.submit(understood, [sources[p].sheets for p in positions], answers))


def understood(files: Sequence[Sequence[Sheet]], answers: Answers) -> list[list[tuple[int, SheetReading]]]:
    """The readings of each file's sheets without the sheets, each with its sheet's position (runs in the helper)."""
    return [list(_readings(sheets, answers)) for sheets in files]


def _readings(sheets: Sequence[Sheet], answers: Answers) -> Iterator[tuple[int, SheetReading]]:
    for at, sheet in enumerate(sheets):
        alone = SourceFile("", sheet.file, "", 0, "", None, (sheet,), ())
        for reading in understand_file(alone, answers=answers):
            yield at, replace(reading, sheet=_GONE)


def _cells(sources: Sequence[SourceFile]) -> int:
    return sum(len(sheet.rows) * len(sheet.rows[0]) for source in sources for sheet in source.sheets if sheet.rows)
