"""Text of strangers: what is taken out, what stays, and that reading back is exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from jiaoheng.documents.safe_text import clean, file_name, neutralise, one_line, unique_name, unneutralise


@given(st.text(st.characters(codec=None)))
def test_cleaned_text_is_always_legal_xml(text: str) -> None:
    root = etree.Element("t")
    root.text = clean(text)  # lxml refuses what XML cannot hold
    assert etree.fromstring(etree.tostring(root)).text in (clean(text), None)


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("张\u202e三", "张三"),
        ("李\u200b四\ufeff", "李四"),
        ("王\x00\x08五", "王五"),
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("坏\ud800", "坏\ufffd"),
        ("垚喆玥䶮㛃𬭎", "垚喆玥䶮㛃𬭎"),
        ("ئۇ\u200cلا", "ئۇ\u200cلا"),  # a joiner between Arabic letters belongs to the name
        ("阿\u200c依", "阿依"),
    ],
)
def test_clean(given_text: str, shown: str) -> None:
    assert clean(given_text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+86电", "-", "@SUM(A1)", "\t=2+2", "\rx", "'=1", "＝1"])
def test_formulas_get_one_apostrophe_and_lose_it_again(text: str) -> None:
    assert neutralise(text) == "'" + text
    assert unneutralise(neutralise(text)) == text


@pytest.mark.parametrize("text", ["张三", "'引号", "3-5", "", "A=B"])
def test_harmless_texts_stay(text: str) -> None:
    assert neutralise(text) == text


@given(st.text(st.sampled_from("'=+-@\t\r\na张")))
def test_round_trip_is_exact_for_every_text(text: str) -> None:
    assert unneutralise(neutralise(text)) == text
    assert not neutralise(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b\\c:d", "a_b_c_d.xlsx"),
        ("con", "_con.xlsx"),
        ("LPT1.txt", "_LPT1.txt.xlsx"),
        ("第一中学.", "第一中学.xlsx"),
        ("../../etc/passwd", "_.._etc_passwd.xlsx"),
        ("", "未命名.xlsx"),
        ("  ", "未命名.xlsx"),
        ("///", "未命名.xlsx"),
    ],
)
def test_file_names(text: str, name: str) -> None:
    assert file_name(text, ".xlsx") == name


@given(st.text())
def test_file_names_are_always_usable(text: str) -> None:
    name = file_name(text, ".docx")
    assert len(name.encode()) <= 210
    assert name.endswith(".docx")
    assert not set(name) & set('<>:"/\\|?*\0')
    assert not name.startswith((" ", "."))


def test_unique_names_ignore_letter_case() -> None:
    taken: set[str] = set()
    assert [unique_name(name, taken) for name in ("A.xlsx", "a.xlsx", "A.xlsx")] == ["A.xlsx", "a(2).xlsx", "A(3).xlsx"]


def test_one_line_joins() -> None:
    assert one_line(" 甲\n乙\t丙 ") == "甲 乙 丙"
