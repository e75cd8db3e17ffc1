"""No file, however made, ends or stalls the reading program: it is read or refused with a reason and a remedy."""

from __future__ import annotations

import re
from pathlib import Path

import psutil
import pytest
from hostile_kinds import KINDS
from reading_makers import xlsx

from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading import read_file, read_files

LIMITS = Limits(memory_bytes=700_000_000, seconds=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All hostile files, and one good one that is read last."""
    where = tmp_path_factory.mktemp("hostile")
    for name, maker in KINDS.items():
        (where / name).write_bytes(maker()[0])
    (where / "zzz_好.xlsx").write_bytes(xlsx())
    return where


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, object]:
    """All of them read in one call."""
    before = psutil.Process().memory_info().rss
    found = read_files(sorted(path for path in folder.iterdir()), limits=LIMITS)
    grown = psutil.Process().memory_info().rss - before
    return {source.label: source for source in found} | {"grown": grown}


def test_there_are_at_least_sixty_kinds() -> None:
    """The collection is not quietly shortened."""
    assert len(KINDS) >= 100


@pytest.mark.parametrize("name", KINDS)
def test_a_hostile_file_is_read_or_refused_as_expected(name: str, results: dict[str, object]) -> None:
    """The problem code is the one of this kind; an error leaves no sheets unless single sheets are named."""
    code = KINDS[name]()[1]
    source = results[name]
    errors = [problem for problem in source.problems if problem.severity is Severity.ERROR]  # type: ignore[attr-defined]
    if code:
        assert code in [problem.code for problem in source.problems], source.problems  # type: ignore[attr-defined]
    else:
        assert not errors
        assert source.sheets  # type: ignore[attr-defined]
    if errors and code != "sheet-damaged":
        assert source.sheets == ()  # type: ignore[attr-defined]
    for problem in errors:
        assert re.search("[\u4e00-\u9fff]", problem.message)
        assert problem.remedy
        assert "Traceback" not in problem.message


def test_a_good_file_after_all_hostile_ones_is_read(results: dict[str, object]) -> None:
    """A killed reading process is replaced and only the guilty file is refused."""
    assert results["zzz_好.xlsx"].sheets[0].rows[1] == ("学生甲", 81.5)  # type: ignore[attr-defined]


def test_refusals_cost_our_own_process_little_memory(results: dict[str, object]) -> None:
    """What is refused is never held by our side."""
    assert results["grown"] < 700_000_000  # type: ignore[operator]


def test_nothing_is_left_behind(folder: Path, results: dict[str, object]) -> None:
    """No zombie, no running child, no file beside the user's own."""
    assert results
    children = [
        one for one in psutil.Process().children(recursive=True) if "jiaoheng.sheets.child" in " ".join(one.cmdline())
    ]
    assert children == []
    assert {path.name for path in folder.iterdir()} == {*KINDS, "zzz_好.xlsx"}


def test_a_far_cell_is_named_by_sheet_and_cell(folder: Path) -> None:
    """The user is told where to look."""
    (problem,) = read_file(folder / "far_second_sheet.xlsx").problems
    assert (problem.place.sheet, problem.place.cell) == ("底表", "XFD1048576")
    assert "请删除 XFD1048576" in problem.remedy


def test_shared_bomb_and_far_cell(shared_cases: Path) -> None:
    """C18: both are refused, with the reason."""
    far, bomb = read_files([shared_cases / "C18_far.xlsx", shared_cases / "C18_bomb.xlsx"])
    assert (far.problems[0].code, far.problems[0].place.cell, far.sheets) == ("cell-too-far", "XFD1048576", ())
    assert (bomb.problems[0].code, bomb.sheets) == ("archive-bomb", ())
    assert "300 MB" in bomb.problems[0].message
