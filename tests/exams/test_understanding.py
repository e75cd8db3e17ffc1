"""Sheets understood by two processes read as by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jiaoheng.engine.helper import Helper
from jiaoheng.exams import understanding
from jiaoheng.exams.sample import make_sample
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.reading import read_files
from jiaoheng.sheets.reading_model import SheetReading
from jiaoheng.sheets.workbook import SourceFile


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[SourceFile]:
    """A messy county: lists side by side, several sheets a file, texts."""
    folder: Path = tmp_path_factory.mktemp("county")
    make_sample(folder, schools=6, pupils=600, seed=5, messy=True)
    return [source for source in read_files([folder]) if source.sheets]


def plain(reading: SheetReading) -> list[Any]:
    """Everything of a reading as comparable values."""
    block = reading.pupils
    scores = [] if block is None else [*block.scores, *block.declared]
    return [
        replace(reading, pupils=None, row_classes=np.zeros(0), sheet=reading.sheet).questions,
        (reading.kind, reading.header_rows, reading.columns, reading.declared, reading.blueprint, reading.problems),
        reading.row_classes.tolist(),
        None if block is None else (block.rows.tolist(), {k: list(v) for k, v in block.texts.items()}, block.long),
        [(s.column, s.values.tolist(), s.states.tolist(), dict(s.make_up), dict(s.marks)) for s in scores],
    ]


def test_two_processes_read_as_one(sources: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same readings in the same order, each with the very sheet it was made from."""
    told: list[tuple[int, int]] = []
    alone = understanding.understand_files(sources, Answers(), lambda *_: None)
    monkeypatch.setattr(understanding, "_WORTH_IT", 0)
    monkeypatch.setattr(understanding, "_AT_ONCE", 1)
    with Helper() as helper:
        helper.submit(understanding.understood, [], Answers()).result()
        both = understanding.understand_files(sources, Answers(), lambda *counts: told.append(counts), helper)
    assert [plain(one) for one in both] == [plain(one) for one in alone]
    sheets = [id(sheet) for source in sources for sheet in source.sheets]
    assert all(id(reading.sheet) in sheets for reading in both)
    assert [reading.sheet.name for reading in both] == [reading.sheet.name for reading in alone]
    assert told[-1] == (len(sources), len(sources))


def test_the_helper_takes_a_share(sources: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    """Large work is given away, small work is not."""
    given: list[int] = []

    class Counting(Helper):
        def submit(self, function: Any, *args: Any, **options: Any) -> Any:
            given.append(len(args[0]))
            return super().submit(function, *args, **options)

    with Counting() as helper:
        understanding.understand_files(sources, Answers(), lambda *_: None, helper)
        assert not given
        monkeypatch.setattr(understanding, "_WORTH_IT", 0)
        understanding.understand_files(sources, Answers(), lambda *_: None, helper)
    assert 0 < sum(given) <= len(sources)
