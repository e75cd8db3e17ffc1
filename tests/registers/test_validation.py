"""Whole columns: values equal those of the single-cell reader, and everything wrong is found in one pass."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_kit import AT, people, register

from jiaoheng.methods.ids import check_digit
from jiaoheng.registers.model import CheckLevel, Field, FieldType, RowCheck, Sensitive, Wrong
from jiaoheng.registers.validation import check_data, check_rows, parse_rows, validate
from jiaoheng.registers.validation_checks import faults
from jiaoheng.registers.values import CLEARED, MASKED, parse

CELLS = st.one_of(
    st.none(),
    st.integers(-100, 3000),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.sampled_from(
        [
            "",
            " ",
            "45人",
            "2025-09-01",
            "是",
            "01",
            "汉族、回族",
            "清空",
            "张*",
            "#N/A",
            "８",
            "约30",
            "1,200",
            "8:20",
            "2025年9月",
            "=1",
            "C",
            "—",
        ]
    ),
    st.text(max_size=6),
    st.dates(dt.date(1950, 1, 1), dt.date(2099, 1, 1)),
)


@given(st.sampled_from(list(people().fields)), st.lists(CELLS, max_size=120))
def test_a_column_reads_like_its_cells(one: Field, cells: list[Any]) -> None:
    """The fast paths give what the single-cell reader gives, for any mixture of cells."""
    bare = register(
        Field("x", one.type, one.title, unit=one.unit, codes=one.codes, sensitive=one.sensitive, widget=one.widget)
    )
    column = parse_rows(bare, {"x": cells}, at=AT).columns["x"]
    for row, cell in enumerate(cells):
        single = parse(cell, bare.fields[0], bare, AT)
        if isinstance(single, Wrong):
            assert [wrong.code for wrong in column.wrongs[row]] == [single.code]
        else:
            assert row not in column.wrongs
        assert (row in column.cleared) == (single is CLEARED)
        assert (row in column.masked) == (single is MASKED)
        expected = single if isinstance(single, (str, int, list)) else None
        assert column.values[row] == expected
        assert type(column.values[row]) is type(expected)


@pytest.mark.parametrize("many", [10, 500])
def test_fast_and_slow_columns_agree(many: int) -> None:
    """Columns with many different values take the fast path and give the same values."""
    numbers = [float(n) + (0.5 if n % 3 == 0 else 0) for n in range(many)]
    one = register(
        Field("n", FieldType.NUMBER, "数", decimals=1),
        Field("t", FieldType.STRING, "文"),
        Field("i", FieldType.INTEGER, "整"),
    )
    found = validate(
        one,
        {"n": numbers, "t": [f"第{n}号" for n in range(many)], "i": [float(n) for n in range(many)]},
        at=AT,
        units=[f"U{n}" for n in range(many)],
    )
    assert found.wrongs == {}
    assert found.data[3] == {"n": "3.5", "t": "第3号", "i": 3}
    assert found.data[4] == {"n": "4", "t": "第4号", "i": 4}
    assert type(found.data[4]["i"]) is int


NUMBERS = st.one_of(
    st.integers(-(10**16), 10**16).map(float),
    st.integers(-(10**6), 10**6).map(lambda hundredths: hundredths / 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 0.01, 0.001, 1e-5, 0.1 + 0.2, 1e15, 1e22, 1.005, 123456789.125]),
)


@given(
    st.lists(NUMBERS, min_size=1, max_size=6),
    st.sampled_from([None, 0, 1, 2, 6, 9]),
    st.sampled_from([FieldType.INTEGER, FieldType.NUMBER]),
    st.sampled_from([(None, None), (Decimal(0), None), (Decimal(-5), Decimal(100))]),
    st.booleans(),
)
def test_a_column_of_numbers_says_what_each_cell_says_alone(
    cells: list[float], decimals: int | None, kind: FieldType, bounds: tuple[Any, Any], blanks: bool
) -> None:
    """The way for whole columns gives the same values, types and remarks as a column too short for it."""
    one = register(Field("n", kind, "数", decimals=decimals, minimum=bounds[0], maximum=bounds[1]))
    alone = [validate(one, {"n": [cell]}, at=AT) for cell in cells]
    many = [*cells, *([1.0, None] if blanks else [1.0, 2.0]) * 60]
    together = validate(one, {"n": many}, at=AT, units=[str(row) for row in range(len(many))])
    for row, single in enumerate(alone):
        assert together.data[row] == single.data[0]
        assert [type(value) for value in together.data[row].values()] == [type(v) for v in single.data[0].values()]
        assert together.wrongs.get(row) == single.wrongs.get(0)


def codes(checked: Any, row: int) -> list[tuple[str, str]]:
    return [(wrong.field, wrong.code) for wrong in checked.wrongs.get(row, [])]


def test_bounds_length_pattern_required() -> None:
    one = register(
        Field("a", FieldType.INTEGER, "面积", minimum=Decimal(0), maximum=Decimal(100), unit="㎡", required=True),
        Field("d", FieldType.DATE, "日期", minimum=dt.date(2025, 1, 1), maximum=dt.date(2025, 12, 31)),
        Field("t", FieldType.STRING, "代号", min_length=2, max_length=4, pattern="[A-Z]+", pattern_words="大写字母"),
    )
    found = validate(
        one,
        {
            "a": [0, 101, None, -1],
            "d": ["2025-01-01", "2024-12-31", None, "2026-01-01"],
            "t": ["AB", "A", "ABCDE", "Ab"],
        },
        at=AT,
        units=list("abcd"),
    )
    assert codes(found, 0) == []
    assert codes(found, 1) == [("a", "above-maximum"), ("d", "below-minimum"), ("t", "wrong-length")]
    assert codes(found, 2) == [("t", "wrong-length"), ("a", "value-missing")]
    assert codes(found, 3) == [("a", "below-minimum"), ("d", "above-maximum"), ("t", "wrong-pattern")]
    told = {w.field: w for w in found.wrongs[1]}
    assert told["a"].message == "“101”大于上限 100 ㎡"
    assert told["a"].remedy == "请填 0 至 100 之间的值"
    assert "a" not in found.data[1]


def test_a_repeated_key_names_the_first_row() -> None:
    one = register(Field("n", FieldType.STRING, "编号"), key=["n"])
    cells = {"n": ["1", "2", "1", "1"]}
    found = validate(one, cells, at=AT, units=["A", "A", "A", "B"], name_row=lambda row, name: f"A{row + 3}")
    assert codes(found, 2) == [("n", "key-repeated")]
    assert "A3" in found.wrongs[2][0].message
    assert codes(found, 3) == []


def test_a_unique_protected_value_is_told_masked() -> None:
    """P06: the message of a duplicate holds no full number."""
    one = register(
        Field("c", FieldType.STRING, "身份证号", unique=True, sensitive=Sensitive.ID_NUMBER),
        Field("n", FieldType.STRING, "号"),
        key=["n"],
    )
    found = validate(one, {"c": ["990000201204070001"] * 2, "n": ["1", "2"]}, at=AT, units=["A", "A"])
    assert "990000********0001" in found.wrongs[1][0].message
    assert "990000201204070001" not in str(found.wrongs)


def test_protected_values_are_told_masked_in_every_refusal() -> None:
    one = register(
        Field("p", FieldType.STRING, "电话", check="phone", sensitive=Sensitive.PHONE),
        Field("i", FieldType.STRING, "证号", check="id_number", sensitive=Sensitive.ID_NUMBER),
    )
    found = validate(one, {"p": ["23800001234567"], "i": [990000201204070001.0]}, at=AT)
    assert len(found.wrongs[0]) == 2
    assert "23800001234567" not in str(found.wrongs)
    assert "9900002012040700" not in str(found.wrongs)


def test_rules_between_fields_say_their_values_once_a_value_is_right() -> None:
    one = register(
        Field("boys", FieldType.INTEGER, "男"),
        Field("girls", FieldType.INTEGER, "女"),
        Field("total", FieldType.INTEGER, "合计"),
        checks=(
            RowCheck(
                "sum",
                "boys + girls == total",
                "男 {boys} 加女 {girls} 不等于合计 {total}",
                CheckLevel.BLOCK,
                ("total",),
            ),
        ),
    )
    found = validate(
        one, {"boys": [5, 5, 5, "约5"], "girls": [6, 6, None, 6], "total": [11, 12, 11, 12]}, at=AT, units=list("abcd")
    )
    assert codes(found, 0) == []
    assert codes(found, 1) == [("total", "rule-sum")]
    assert found.wrongs[1][0].message == "男 5 加女 6 不等于合计 12"
    assert codes(found, 2) == []
    assert codes(found, 3) == [("boys", "not-a-number")]


def test_a_jump_against_last_period_asks_and_refuses_nothing() -> None:
    one = register(Field("n", FieldType.INTEGER, "人数", unit="名", jump=Decimal("0.2")))
    found = validate(
        one, {"n": [121, 120, 79, 5]}, at=AT, units=list("abcd"), previous=[{"n": 100}, {"n": 100}, {"n": 100}, None]
    )
    assert [sorted(found.wrongs)] == [[0, 2]]
    assert found.wrongs[0][0].level is CheckLevel.WARN
    assert found.wrongs[0][0].message == "本期 121 名，上期 100 名，增加 21%，超过 20%"
    assert not found.blocked(0)


def test_a_value_that_stands_already_keeps_its_ended_choice() -> None:
    """P19: saving a record with C keeps C; a new one is refused naming the day."""
    one = register(Field("g", FieldType.STRING, "等级", codes="grade"), Field("a", FieldType.INTEGER, "面积"))
    parsed = parse_rows(one, {"g": ["C", "C"], "a": [1, 1]}, at=AT)
    found = check_rows(parsed, units=["a", "b"], base=[{"g": "C", "a": 2}, {"g": "A", "a": 2}])
    assert codes(found, 0) == []
    assert found.data[0] == {"g": "C", "a": 1}
    assert codes(found, 1) == [("g", "code-ended")]
    assert "2025-09-01" in found.wrongs[1][0].message


def test_a_blank_keeps_and_clearing_a_required_value_is_refused() -> None:
    one = register(Field("a", FieldType.INTEGER, "甲", required=True), Field("b", FieldType.INTEGER, "乙"))
    parsed = parse_rows(one, {"a": [None, "清空"], "b": ["清空", None]}, at=AT)
    found = check_rows(parsed, units=["a", "b"], base=[{"a": 1, "b": 2}, {"a": 1, "b": 2}])
    assert found.data[0] == {"a": 1}
    assert found.cleared == {0: ("b",), 1: ("a",)}
    assert codes(found, 0) == []
    assert codes(found, 1) == [("a", "value-missing")]


@given(st.integers(0, 10**6))
def test_the_fast_look_at_identity_numbers_agrees_with_the_slow_one(seed: int) -> None:
    """Right numbers pass, and whatever the slow check refuses is never passed by the fast one."""
    from jiaoheng.methods.ids import check_identity

    rng = random.Random(seed)
    texts = []
    for _ in range(30):
        body = (
            "".join(rng.choice("0123456789") for _ in range(6))
            + f"{rng.randrange(1880, 2040)}{rng.randrange(0, 14):02d}{rng.randrange(0, 33):02d}{rng.randrange(1000):03d}"
        )
        last = check_digit(body) if rng.random() < 0.7 else rng.choice("0123456789X")
        texts.append(body + last if rng.random() < 0.9 else body[: rng.randrange(1, 17)] + "A")
    found = faults("id_number", texts, AT)
    assert set(found) == {text for text in texts if not check_identity(text, AT).ok}


def test_named_checks() -> None:
    """C02: a wrong check digit warns, an impossible birth date blocks, another document is accepted."""
    good = "99000020120407001"
    found = faults(
        "id_number",
        [
            good + check_digit(good),
            good + ("1" if check_digit(good) != "1" else "2"),
            "990000201313010011",
            "H12345678",
        ],
        AT,
    )
    assert sorted(level.value for _, level in found.values()) == ["block", "warn"]
    assert set(faults("phone", ["13800000000", "010-12345678", "8123456", "123", "1380000000"], AT)) == {
        "123",
        "1380000000",
    }
    assert set(faults("school_code", ["2133000001", "213300001", "ABC"], AT)) == {"213300001", "ABC"}
    assert set(faults("email", ["a@b.cn", "a@b"], AT)) == {"a@b"}
    assert faults("unheard_of", ["x"], AT) == {}


def test_check_data_judges_a_stored_record() -> None:
    one = people()
    good = {
        "number": "1",
        "name": "张三",
        "skills": ["01", "10"],
        "rate": "95.5",
        "lodging": True,
        "seen": "2025-09-30T15:30:00Z",
    }
    assert check_data(one, good, at=AT) == []
    bad = check_data(one, {"number": "1", "rate": "105", "nobody": 1}, at=AT)
    assert sorted((w.field, w.code) for w in bad) == [
        ("name", "value-missing"),
        ("nobody", "field-unknown"),
        ("rate", "above-maximum"),
    ]
    graded = register(Field("g", FieldType.STRING, "等级", codes="grade"))
    assert [w.code for w in check_data(graded, {"g": "C"}, at=AT)] == ["code-ended"]
    assert check_data(graded, {"g": "C"}, at=AT, base={"g": "C"}) == []


def test_columns_of_different_length_are_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="different length"):
        parse_rows(people(), {"number": ["1"], "name": []}, at=AT)
