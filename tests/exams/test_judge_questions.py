"""Every question is really answered under the key it names, by each of its choices; answers alone bring a report."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge_kit import NAMES, Key, book, first_choice, judged, told

from jiaoheng.sheets.annotate_memory import spelled
from jiaoheng.sheets.places import Choice, Severity
from jiaoheng.sheets.question_answers import matched

SCALED: dict[Key, str] = {("columns", "九年级一模.xlsx|语数化|G"): "赋分"}  # the second 化学


def messy(folder: Path) -> Path:
    """Two files with most of what schools leave open."""
    head = ["考号", "姓名", "班级", "语文", "数学", "化学", "化学", "加分", "总分"]
    rows: list[list[object]] = []
    for i, name in enumerate(NAMES[:14]):
        rows.append([f"09{i:04d}", name, f"90{i % 2 + 1}", 90 + i, 60 + 2 * i, 50 + i, 60 + i, i % 4, 200 + 4 * i])
    rows[2][4], rows[3][4], rows[4][3] = "/", "3/5", 88.12345
    rows[5][2] = "901"
    rows.append(["", "", "", 120, 120, 100, 100, "", 440])
    book(folder / "九年级一模.xlsx", {"语数化": [head, *rows]}, hidden={"语数化": [7]})
    english: list[list[object]] = [[int(f"09{i:04d}"), name, 70 + i] for i, name in enumerate(NAMES[:14])]
    english += [["", NAMES[20], 81], ["", NAMES[20], 77]]
    english[6][2] = "-"
    book(folder / "英语.xlsx", {"Sheet1": [["考号", "姓名", "成绩"], *english]})
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("questions") / "校"
    made.mkdir()
    return messy(made)


def test_each_choice_removes_its_question(folder: Path) -> None:
    found = judged(folder)
    kinds = {question.code for question in found.open}
    assert kinds >= {
        "unknown-mark", "ambiguous-pair", "too-many-decimals", "duplicate-subject", "hidden-rows", "row-without-name",
        "lost-zeros", "homonym", "full-mark-unknown", "unknown-column",
    }  # fmt: skip
    values = {q.key: [choice.value for choice in q.choices] or [q.default or "150"] for q in found.open}
    for at in range(max(map(len, values.values()))):
        answers = {key: own[at % len(own)] for key, own in values.items()}
        after = judged(folder, answers)
        left = answers.keys() & {question.key for question in after.open}
        assert not left, [(key, answers[key]) for key in left]
        assert not [problem for problem in after.problems if problem.place.file in ("答复", "answers.yaml")]


def test_answers_alone_make_it_ready_without_yes(folder: Path) -> None:
    """Rounds of answers in exam.yaml: what one answer uncovers is asked again, until nothing is."""
    answers: dict[Key, str] = {}
    for _ in range(5):
        found = judged(folder, answers)
        if not found.open:
            break
        answers |= {question.key: SCALED.get(question.key, first_choice(question)) for question in found.open}
    assert not found.errors, [str(problem) for problem in found.errors]
    assert found.ready
    assert found.taken == ()


def test_yes_takes_the_same_answers(tmp_path: Path) -> None:
    """Where every question has a default, --yes and the defaults written down give the same roster."""
    rows = [[name, 90 + i, 60 + i, "/" if i == 3 else 40 + i] for i, name in enumerate(NAMES[:10])]
    path = book(tmp_path / "高二期中.xlsx", {"成绩": [["姓名", "语文", "数学", "物理"], *rows]}, hidden={"成绩": [4]})
    found = judged(path)
    answers = {question.key: first_choice(question) for question in found.open}
    written, taken = judged(path, answers), judged(path, {("marks", "/"): answers["marks", "/"]}, yes=True)
    assert written.ready
    assert taken.ready
    assert written.roster.pupils.equals(taken.roster.pupils)
    for name, own in written.roster.scores.items():
        assert (own.values == taken.roster.scores[name].values).all()
        assert own.subject == taken.roster.scores[name].subject


def test_a_key_that_names_nothing_is_told(tmp_path: Path) -> None:
    path = book(tmp_path / "八年级.xlsx", {"成绩": [["姓名", "语文"], *([name, 80] for name in NAMES[:4])]})
    found = judged(path, {("sheets", "八年级.xlsx|成积"): "忽略", ("cells", "八年级.xlsx|成绩|B2"): "90"})
    (problem,) = [problem for problem in found.problems if problem.code == "settings-place-unknown"]
    assert problem.severity is Severity.WARNING
    assert "成积" in problem.message
    assert "八年级.xlsx|成绩" in problem.remedy


words = st.text(st.characters(categories=("L", "N"), max_codepoint=0x9FFF), min_size=1, max_size=8)


@given(st.lists(st.builds(Choice, words, words), min_size=1, max_size=6, unique_by=lambda c: c.value.casefold()))
@settings(max_examples=60)
def test_a_choice_is_recognised_by_its_value_and_by_what_the_sheet_shows(choices: list[Choice]) -> None:
    """A value goes before another choice's meaning, and before a number in the list."""
    for choice in choices:
        if matched(choice.value, choices) != choice.value:
            assert matched(choice.value, [c for c in choices if c is not choice] or choices) is not None
        if not any(spelled(choice) in (other.value, other.label) for other in choices):
            assert matched(spelled(choice), choices) is not None


def test_a_number_among_the_choices_goes_before_its_place_in_the_list() -> None:
    choices = [Choice("原3补5", "原始 3 分，补考 5 分"), Choice("3", "3 分"), Choice("5", "5 分")]
    assert [matched(text, choices) for text in ("3", "1", "5 分", "3：3 分")] == ["3", "原3补5", "5", "3"]


@pytest.mark.parametrize("word", ["原始分", "赋分"])
def test_two_columns_called_the_same_are_an_error_and_none_is_picked(folder: Path, word: str) -> None:
    """Also while another column of the sheet is still asked about."""
    key = "九年级一模.xlsx|语数化|"
    found = judged(folder, {("columns", f"{key}F"): word, ("columns", f"{key}G"): word})
    assert told(found, "double-column").severity is Severity.ERROR
    assert f"columns › {key}G" in told(found, "double-column").remedy
    assert found.roster.pupils.height == 0
