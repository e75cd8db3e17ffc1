"""Grams: whatever a text holds is found through the grams of the word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.grams import fold, grams_of_text, grams_of_word, holds, initials_hold, initials_of, words_of

TEXTS = st.text(st.sampled_from("张伟强王芳东镇第二小学（）12 aB-"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("一（１）班", "一1班"),
        ("Li  Ming", "li ming"),
        ("张　伟", "张伟"),
        ("2199000001-101", "2199000001 101"),
        ("·", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_words_part_at_every_kind_of_space_and_none_is_dropped() -> None:
    assert words_of("张　伟") == ["张", "伟"]
    assert words_of(" 王芳 赵 ，") == ["王芳", "赵"]


def test_grams_of_a_pupil_stay_few() -> None:
    assert grams_of_text(["张伟"], ["2199000001"]) == {
        "张", "伟", "张伟", ";z", ";zw", "=张伟", "2", "21", "2199", "21990000",
    }  # fmt: skip


def test_a_run_is_found_from_its_beginning_only() -> None:
    assert holds("2199000001", "2199")
    assert not holds("2199000001", "9900")
    assert holds("一1班", "1班")
    assert not holds("一11班", "1班")


def test_initials() -> None:
    assert initials_of("东镇第二小学") == "dzdexx"
    assert initials_hold("dzdexx", "dexx")
    assert not initials_hold("dzdexx", "e")


@given(TEXTS, st.data())
def test_every_part_of_a_text_is_reached_through_the_index(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    if not folded:
        return
    start = data.draw(st.integers(0, len(folded) - 1))
    end = data.draw(st.integers(start + 1, len(folded)))
    word = folded[start:end].strip()
    if not word or " " in word or not holds(folded, word):
        return
    own, _ = grams_of_word(word)
    assert own <= grams_of_text([text])
