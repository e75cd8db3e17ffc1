"""Sort keys: bytes compare as people expect."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.sort_keys import initials, number_key, text_key

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)


@given(NUMBERS, NUMBERS)
def test_keys_of_numbers_compare_like_the_numbers(one: Decimal, other: Decimal) -> None:
    left, right = number_key(one).encode(), number_key(other).encode()
    assert (left < right) == (one < other)
    assert (left == right) == (one == other)


def test_classes_in_natural_order() -> None:
    assert sorted(["10班", "2班", "1班"], key=text_key) == ["1班", "2班", "10班"]


def test_chinese_by_pinyin_and_width_folded() -> None:
    assert sorted(["张", "阿", "李"], key=text_key) == ["阿", "李", "张"]
    assert text_key("Ａ1") == text_key("a1")


def test_initials_keep_digits() -> None:
    assert initials("东镇2小") == "dz2x"


def test_chinese_numerals_that_count_sort_by_size() -> None:
    classes = ["二（1）班", "六（1）班", "三（1）班", "一（2）班", "一（10）班", "十一（1）班", "九（1）班"]
    assert sorted(classes, key=text_key) == [
        "一（2）班", "一（10）班", "二（1）班", "三（1）班", "六（1）班", "九（1）班", "十一（1）班",
    ]  # fmt: skip
    schools = ["东镇第十小学", "东镇第二小学", "东镇第二十一小学", "东镇第十二小学"]
    assert sorted(schools, key=text_key) == ["东镇第二小学", "东镇第十小学", "东镇第十二小学", "东镇第二十一小学"]
    assert text_key("统一路小学") != text_key("统1路小学")
