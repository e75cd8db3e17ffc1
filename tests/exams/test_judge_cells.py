"""What stands in score cells, judged for what a careful person would read."""

from __future__ import annotations

from pathlib import Path

import pytest
from judge_kit import NAMES, asked, book, codes, judged, scores, told

from jiaoheng.sheets.places import Severity

READ = {
    "85 ": "85", " 85": "85", "85分": "85", "８５": "85", "８５．５": "171/2", "100.0分": "100", "57/60": "57",
    "原57补60": "57", "缺考": "ABSENT", "缺": "ABSENT", "病假": "ABSENT", "没来": "ABSENT", "旷考": "ABSENT",
    "作弊": "CHEATED", "违纪": "CHEATED", "免": "EXEMPT", "免考": "EXEMPT", "缓考": "DEFERRED", "转学": "LEFT",
    "休学": "LEFT", "": "MISSING", "0": "0", "零分": "0", "白卷": "0", "83.33000000001": "8333/100",
    "缺考（病）": "ABSENT", "'90": "90",
}  # fmt: skip
WRONG = ["85.5.", "八十五", "100+", "85*", "A", "85,5", "85。5", "3月5日", "3-5", "-1", "—5", "TRUE"]


def one(tmp_path: Path, cell: object) -> Path:
    rows = [[name, 80 + i, 70 + i] for i, name in enumerate(NAMES[1:6])]
    return book(tmp_path / "八年级期末.xlsx", {"成绩": [["姓名", "语文", "数学"], [NAMES[0], 75, cell], *rows]})


@pytest.mark.parametrize(("cell", "value"), READ.items())
def test_what_is_read(tmp_path: Path, cell: str, value: str) -> None:
    found = judged(one(tmp_path, cell), yes=True)
    assert not found.errors
    assert scores(found, "数学")[NAMES[0]] == value


@pytest.mark.parametrize("cell", WRONG)
def test_what_is_wrong_is_named_with_its_cell_and_holds_everything_back(tmp_path: Path, cell: str) -> None:
    found = judged(one(tmp_path, cell), yes=True)
    (error,) = found.errors
    assert (error.place.sheet, error.place.cell) == ("成绩", "C2")
    assert error.remedy
    assert found.roster.pupils.height == 0


@pytest.mark.parametrize("mark", ["/", "-", "—", "##", "N/A", "无", "×", "空"])
def test_marks_are_asked_with_words_for_every_state(tmp_path: Path, mark: str) -> None:
    path = one(tmp_path, mark)
    question = asked(judged(path), "unknown-mark")
    assert {choice.value for choice in question.choices} >= {"缺考", "缺失", "免考", "未选", "零分"}
    for answer, state in (("缺考", "ABSENT"), ("未选", "NOT_CHOSEN"), ("零分", "0"), ("缺失", "MISSING"), ("60", "60")):
        assert scores(judged(path, {question.key: answer}), "数学")[NAMES[0]] == state


def test_more_than_three_decimals_block_until_answered(tmp_path: Path) -> None:
    """Rounding may change a number: one question for all cells and sheets, with a default."""
    sheets = {f"80{k}": [["姓名", "语文"], *([NAMES[5 * k + i], 83.3333333 + i] for i in range(5))] for k in (1, 2)}
    path = book(tmp_path / "八年级.xlsx", sheets)
    found = judged(path)
    question = asked(found, "too-many-decimals")
    assert (question.blocking, question.default, len(question.places)) == (True, "四舍五入", 10)
    rounded = judged(path, {question.key: "四舍五入"})
    assert scores(rounded, "语文")[NAMES[5]] == "83333/1000"
    assert told(rounded, "too-many-decimals").severity is Severity.WARNING
    refused = judged(path, {question.key: "报错"})
    assert [problem.place.cell for problem in refused.errors][:2] == ["B2", "B3"]


@pytest.mark.parametrize(
    "noise", [83.33000000001, 83.3299999999, 0.1 + 0.2, 1.1 * 3, "83.33000000001", "83.3299999999"]
)
def test_binary_noise_is_not_asked(tmp_path: Path, noise: object) -> None:
    assert "too-many-decimals" not in codes(judged(one(tmp_path, noise)))


def test_formulas_without_values_are_told_alone(tmp_path: Path) -> None:
    """A column of uncalculated formulas is not called empty besides."""
    rows = [[name, 80, "=B2+1"] for name in NAMES[:4]]
    found = judged(book(tmp_path / "八年级.xlsx", {"成绩": [["姓名", "语文", "数学"], *rows]}))
    assert [problem.place.cell for problem in found.errors] == ["C2", "C3", "C4", "C5"]
    assert "subject-empty" not in codes(found)


@pytest.mark.parametrize(("answer", "state"), [("未选", "NOT_CHOSEN"), ("缺考", "ABSENT"), ("缺失", "MISSING")])
def test_blank_electives_become_what_was_answered(tmp_path: Path, answer: str, state: str) -> None:
    rows: list[list[object]] = [["姓名", "语文", "数学", "物理", "历史", "化学", "生物", "政治", "地理"]]
    for i, name in enumerate(NAMES[:20]):
        chosen = (0, 2, 3) if i % 2 else (1, 4, 5)
        rows.append([name, 90, 80, *(70 + i if at in chosen else "" for at in range(6))])
    path = book(tmp_path / "高二期中.xlsx", {"成绩": rows})
    question = asked(judged(path), "blank-electives")
    assert scores(judged(path, {question.key: answer}), "物理")[NAMES[0]] == state
