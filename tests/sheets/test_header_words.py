"""The meaning of header cells."""

from __future__ import annotations

import pytest

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.header_words import answered_word, header_word
from jiaoheng.sheets.reading_model import Measure, Role
from jiaoheng.sheets.vocabulary import vocabulary

WORDS = vocabulary()


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("* 姓名", Role.NAME), ("姓　名", Role.NAME), ("姓\n名", Role.NAME), ("＊学籍号（必填）", Role.PUPIL_ID),
        ("准考证号", Role.EXAM_NO), ("身份证号码", Role.ID_CARD), ("班别", Role.CLASS), ("所在学校", Role.SCHOOL),
        ("首选科目", Role.TRACK), ("选科组合", Role.COMBINATION), ("联系电话", Role.IGNORED), ("题号", Role.ITEM_NO),
        ("知识点", Role.KNOWLEDGE), ("能力层次", Role.ABILITY), ("德育评价xyz", Role.UNKNOWN), ("姓名：", Role.UNKNOWN),
    ],
)  # fmt: skip
def test_roles(text: str, role: Role) -> None:
    assert header_word(text, WORDS).role is role


@pytest.mark.parametrize(
    ("text", "subject", "measure", "full"),
    [
        ("语 文", "语文", None, None),
        ("数学(150分)", "数学", None, 150_000),
        ("语文（满分120）", "语文", None, 120_000),
        ("语文【满分：120分】", "语文", None, 120_000),
        ("数学150", "数学", None, 150_000),
        ("英语/120", "英语", None, 120_000),
        ("数学成绩", "数学", Measure.RAW, None),
        ("物赋", "物理", Measure.SCALED, None),
        ("化学（赋分）", "化学", Measure.SCALED, None),
        ("生物等级赋分", "生物", Measure.SCALED, None),
        ("化学\n原始分", "化学", Measure.RAW, None),
        ("道法", "道德与法治", None, None),
        ("高二物理", "物理", None, None),
        ("大学英语", "英语", None, None),
        ("理综", "理综", None, None),
        ("英语补考", "英语", Measure.MAKE_UP, None),
    ],
)
def test_subjects(text: str, subject: str, measure: Measure | None, full: int | None) -> None:
    found = header_word(text, WORDS)
    assert (found.role, found.subject, found.measure, found.full) == (Role.SCORE, subject, measure, full)


@pytest.mark.parametrize(
    ("text", "subject", "scope"),
    [
        ("！级名", None, "grade"), ("班名次", None, "class"), ("总分班名次", None, "class"), ("语文班排名", "语文", "class"),
        ("物赋级名", "物理", "grade"), ("县名次", None, "all"), ("校内排名", None, "school"), ("名次", None, None),
        ("班级语文排名", "语文", "class"), ("地区排名", None, "all"), ("排名(班级)", None, "class"),
    ],
)  # fmt: skip
def test_ranks(text: str, subject: str | None, scope: str | None) -> None:
    found = header_word(text, WORDS)
    assert (found.role, found.subject, found.rank_scope) == (Role.RANK, subject, scope)


@pytest.mark.parametrize(
    ("text", "total_of", "full"),
    [
        ("总分", None, None),
        ("总分(除物理)", "总分(除物理)", None),
        ("主三门总分", "主三门总分", None),
        ("总分（满分560）", None, 560_000),
    ],
)
def test_totals(text: str, total_of: str | None, full: int | None) -> None:
    found = header_word(text, WORDS)
    assert (found.role, found.total_of, found.full) == (Role.TOTAL, total_of, full)


@pytest.mark.parametrize(
    ("text", "item", "bare"),
    [("1", "1", True), ("第1题", "1", False), ("一(1)", "一(1)", False), ("选择题1", "选择题1", False), ("12(3)", "12(3)", False),
     ("3（5分）", "3", False), ("客观题", "客观题", True), ("T5", "5", False), ("1.5", "1.5", True)],
)  # fmt: skip
def test_items(text: str, item: str, bare: bool) -> None:
    found = header_word(text, WORDS)
    assert (found.measure, found.item, found.bare) == (Measure.ITEM, item, bare)


@pytest.mark.parametrize("text", ["语文平均分", "参考人数", "优秀率", "average_math", "191215_总成绩平均分"])
def test_figures_of_groups(text: str) -> None:
    assert header_word(text, WORDS).aggregate


def test_settings_go_before_the_vocabulary() -> None:
    own = WORDS.with_answers(Answers(columns={"tmathssk": "数学", "语文": "忽略"}, aliases={"书法课": "书法"}))
    assert header_word("TMATHSSK", own).subject == "数学"
    assert header_word("语文", own).role is Role.IGNORED
    assert header_word("书法课", own).subject == "书法"


@pytest.mark.parametrize(
    ("answer", "role", "subject", "measure"),
    [
        ("姓名", Role.NAME, None, None),
        ("赋分", Role.SCORE, None, Measure.SCALED),
        ("raw", Role.SCORE, None, Measure.RAW),
        ("化学赋分", Role.SCORE, "化学", Measure.SCALED),
        ("忽略", Role.IGNORED, None, None),
        ("总分", Role.TOTAL, None, None),
        ("书法", Role.SCORE, "书法", None),
    ],
)
def test_answers_for_columns(answer: str, role: Role, subject: str | None, measure: Measure | None) -> None:
    found = answered_word("C", answer, WORDS)
    assert (found.role, found.subject, found.measure) == (role, subject, measure)
