"""Class names in every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.sheets.class_names import float_trap, grade_number, number_of, parse_class

NINE_ONE = ["九(1)班", "九（1）班", "九（一）班", "901", "901班", "9.1", "9-1", "初三1班", "初三(1)", "九年级1班", "九年级（1）班",
            "九1", "九1班", "九年级一班", "初三（一）班", "G9-1", "9年级1班", "9(1)", "９０１", " 九 (1) 班 ", "'9.1", "0901"]  # fmt: skip


@pytest.mark.parametrize("text", NINE_ONE)
def test_one_class_in_every_spelling(text: str) -> None:
    found = parse_class(text)
    assert (found.grade, found.number, found.display) == ("九年级", 1, "九(1)班")
    assert parse_class(text, "九年级") == found
    assert parse_class(text, "初三") == found


@pytest.mark.parametrize("text", ["1班", "1", "01", "(1)", "（一）班", "一班", "301", "3.1", "三年级1班"])
def test_the_grade_of_the_exam_completes_a_name(text: str) -> None:
    assert parse_class(text, "九年级").display == "九(1)班"


@pytest.mark.parametrize(
    ("text", "hint", "display"),
    [
        ("1班", None, "1班"),
        ("1", None, "1班"),
        ("高二(3)班", None, "高二(3)班"),
        ("高二3班", "高二", "高二(3)班"),
        ("203", "高二", "高二(3)班"),
        ("七1", None, "七(1)班"),
        ("一年级十二班", None, "一(12)班"),
        ("2023级1班", None, "2023级1班"),
        ("2023级（1）班", "九年级", "2023级1班"),
        ("101", "高一", "高一(1)班"),
        ("101", "一年级", "一(1)班"),
        ("101", None, "101班"),
        ("901", "高一", "901班"),
        ("9.10", None, "九(10)班"),
        ("1003", "高一", "高一(3)班"),
        ("实验班", "九年级", "实验班"),
        ("本高2023届", None, "本高2023届"),
    ],
)
def test_other_names(text: str, hint: str | None, display: str) -> None:
    assert parse_class(text, hint).display == display


@given(st.integers(1, 12), st.integers(1, 40))
def test_spellings_of_any_class_agree(grade: int, number: int) -> None:
    names = ["一", "二", "三", "四", "五", "六", "七", "八", "九"]
    name = f"{names[grade - 1]}年级" if grade <= 9 else f"高{names[grade - 10]}"
    spellings = [f"{name}{number}班", f"{name}({number})班", f"{name}（{number}）班", f"{number}班", f"{number}"]
    spellings += [f"{grade}.{number}", f"{grade}-{number}", f"{grade}{number:02d}"]
    assert len({parse_class(text, name) for text in spellings}) == 1


@given(st.text(max_size=10), st.sampled_from([None, "九年级", "高一"]))
def test_any_text_stays_or_becomes_a_class(text: str, hint: str | None) -> None:
    found = parse_class(text, hint)
    assert parse_class(found.display, hint).display == found.display


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("十二", 12), ("二十", 20), ("二十三", 23), ("12", 12), ("03", 3), ("甲", None), ("", None)],
)
def test_number_words(text: str, number: int | None) -> None:
    assert number_of(text) == number


def test_grade_words() -> None:
    assert [grade_number(text) for text in ("九年级", "初三", "9年级", "高一", "一年级", "实验", None)] == [
        9,
        9,
        9,
        10,
        1,
        None,
        None,
    ]


def test_the_tenth_class_that_became_the_first() -> None:
    nine = [f"9.{n}" for n in range(1, 10)]
    assert float_trap([*nine, "9.1", "9.11"]) == "9.1"
    assert float_trap([*nine, "9.1"]) == "9.1"
    assert float_trap(nine) is None
    assert float_trap([*nine, *nine]) is None  # the list begins anew
    assert float_trap([*nine, "9.10"]) is None
