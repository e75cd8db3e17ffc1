"""Rules between fields: what they may say, how missing values spread, and that nothing else gets through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.registers.model import Field, FieldType
from jiaoheng.registers.rules import Message, RuleError, parse, parse_rule

TODAY = dt.date(2025, 9, 1)
FIELDS = {
    one.name: one
    for one in (
        Field("boys", FieldType.INTEGER, "男生"),
        Field("girls", FieldType.INTEGER, "女生"),
        Field("total", FieldType.INTEGER, "合计"),
        Field("area", FieldType.NUMBER, "面积"),
        Field("born", FieldType.DATE, "出生日期"),
        Field("joined", FieldType.DATE, "参加工作日期"),
        Field("kind", FieldType.STRING, "类别"),
        Field("boarding", FieldType.BOOLEAN, "寄宿"),
        Field("stages", FieldType.ARRAY, "学段"),
        Field("since", FieldType.YEAR, "年份"),
    )
}


def holds(rule, data, last=None, today=TODAY):
    return parse_rule(rule, FIELDS).holds(data, today, last)


@pytest.mark.parametrize(
    ("rule", "data", "expected"),
    [
        ("boys + girls == total", {"boys": 24, "girls": 22, "total": 46}, True),
        ("boys + girls == total", {"boys": 24, "girls": 22, "total": 56}, False),
        ("boys + girls == total", {"boys": 24, "girls": 22}, None),
        ("0 < boys <= 50", {"boys": 50}, True),
        ("0 < boys <= 50", {"boys": 51}, False),
        ("area * 3 == 0.3", {"area": "0.1"}, True),  # exact, where binary floats say 0.30000000000000004
        ("area / boys >= 1.5", {"area": "62.5", "boys": 0}, None),  # nothing over nothing is no data
        ("area / boys >= 1.5", {"area": "62.5", "boys": 40}, True),
        ("age(born) >= 6", {"born": "2019-09-01"}, True),
        ("age(born) >= 6", {"born": "2019-09-02"}, False),
        ("age(born, joined) >= 16", {"born": "1990-05-02", "joined": "2006-05-01"}, False),
        ("born < '2000-01-01'", {"born": "1999-12-31"}, True),
        ("born in ['1999-12-31']", {"born": "1999-12-31"}, True),
        ("today - born < 366", {"born": "2024-09-01"}, True),
        ("born + 10 > joined", {"born": "2025-01-01", "joined": "2025-01-11"}, False),
        ("kind in ['1', '2']", {"kind": "2"}, True),
        ("kind not in ['1', '2']", {"kind": "2"}, False),
        ("stages in ['1', '2']", {"stages": ["1", "2"]}, True),
        ("stages in ['1', '2']", {"stages": ["1", "3"]}, False),
        ("has(stages, '3')", {"stages": ["1", "3"]}, True),
        ("count(stages) <= 1", {"stages": ["1", "3"]}, False),
        ("not boarding or boys > 0", {"boarding": False}, True),
        ("not boarding or boys > 0", {"boarding": True}, None),
        ("boarding == true", {"boarding": True}, True),
        ("blank(kind) or kind == '1'", {}, True),
        ("filled(kind)", {}, False),
        ("blank(kind) and boys > 1", {"kind": "1"}, False),  # one false part decides, though boys is missing
        ("starts(kind, 'G') and length(kind) == 3", {"kind": "G12"}, True),
        ("min(boys, girls) >= 1 and max(boys, girls) < 9 and sum(boys, girls) == 9", {"boys": 1, "girls": 8}, True),
        ("abs(boys - girls) <= 2 and -boys < 0", {"boys": 5, "girls": 7}, True),
        ("since >= 2020", {"since": "2021"}, True),
        ("year(born) == 2019 and month(born) == 9", {"born": "2019-09-02"}, True),
    ],
)
def test_a_rule_holds_fails_or_does_not_apply(rule, data, expected):
    assert holds(rule, data) is expected


def test_last_reads_the_same_record_one_period_earlier():
    rule = "total >= last(total) * 0.7"
    assert holds(rule, {"total": 70}, last={"total": 100}) is True
    assert holds(rule, {"total": 69}, last={"total": 100}) is False
    assert holds(rule, {"total": 69}, last=None) is None
    assert parse_rule(rule, FIELDS).last_fields == ("total",)


def test_the_fields_of_a_rule_are_known():
    assert parse_rule("boys + girls == total and boys >= 0", FIELDS).fields == ("boys", "girls", "total")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("boy + girls == total", "没有字段“boy”。是不是“boys”？"),
        ("boys + girls", "规则“boys + girls”算出来是数，不是对错。请写成比较，如 boys + girls == total。"),
        ("boys == '3'", "“boys == '3'”是数和文字，不能这样比较。请检查字段的类型；代码要加引号。"),
        ("kind + boys == 3", "“kind + boys”是文字 + 数，不能这样算。请检查字段的类型。"),
        ("boys and girls", "“boys”是数，不是对错。and、or、not 的两边要写成比较。"),
        ("kind in [1, 2]", "列表“[1, 2]”和“kind”不是一类。代码要加引号，如 ['1', '2']。"),
        ("kind in kind", "in 后面的“kind”不是列表。请写成 ['甲', '乙']。"),
        ("agee(born) > 3", "没有函数“agee”。是不是“age”？"),
        ("age(kind) > 3", "“age(kind)”要的是日期，给的是文字。请检查字段的类型。"),
        ("age() > 3", "“age()”的参数是 0 个，应为 1 至 2 个。请改正。"),
        ("last(3) > 3", "“last(3)”里应是一个字段名。请写成 last(字段)。"),
        ("born > '2025-13-01'", "'2025-13-01' 不是日期。请写成 '2025-09-01' 的样子。"),
        ("boys = 3", "规则“boys = 3”读不懂。请检查括号和符号；符号用半角，等于写 ==，不等于写 !=。"),
        ("boys is 3", "规则里不能写“boys is 3”。空不空请写 blank(字段) 或 filled(字段)。"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong_and_what_to_do(rule, message):
    with pytest.raises(RuleError) as error:
        parse_rule(rule, FIELDS)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os').system('true') == 0",
        "kind.upper() == 'A'",
        "().__class__ == 1",
        "[x for x in stages] == stages",
        "(lambda: boys)() > 1",
        "boys ** boys ** boys > 1",
        "boys if boys else girls",
        "f'{boys}' == '1'",
        "kind['a'] == '1'",
        "boys // 2 == 1",
        "boys % 2 == 1",
        "boys << 3 > 1",
        "(boys := 3) > 1",
        "{'a': boys} == 1",
        "0x10 > boys",
        "1e9 > boys",
        "1j == boys",
        "b'a' == kind",
        "... == boys",
        "None == kind",
        "eval('1') == 1",
        "age(born, on=joined) > 1",
        "boys > 1 " + "or boys > 1 " * 60,
        "",
        "boys > 1\nimport os",
        "\x00",
    ],
)
def test_nothing_but_the_allowed_parts_gets_through(rule):
    with pytest.raises(RuleError):
        parse_rule(rule, FIELDS)


@pytest.mark.parametrize(
    "rule", ["(" * 240 + "boys" + ")" * 240 + " > 1", "not " * 120 + "boarding", "-" * 480 + "1 > 0"]
)
def test_deep_nesting_ends_in_an_answer_or_in_words(rule):
    try:
        answer = parse_rule(rule, FIELDS).holds({"boys": 2, "boarding": True}, TODAY)
    except RuleError as error:
        answer = bool(error.remedy)
    assert answer is True


@given(st.text(max_size=80))
def test_any_text_is_a_rule_or_refused_in_words(text):
    try:
        found = parse(text, FIELDS)
    except RuleError as error:
        refused = error
        found = parse("true", FIELDS)
    else:
        refused = None
    found.value({"boys": 3, "area": "1.5"}, TODAY)
    assert refused is None or refused.message


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.decimals(-1000, 1000, places=4))
def test_arithmetic_is_exact(boys, girls, area):
    value = parse("boys * girls - area", FIELDS).value({"boys": boys, "girls": girls, "area": str(area)}, TODAY)
    numerator, denominator = area.as_integer_ratio()
    assert Decimal(value) * denominator == boys * girls * denominator - numerator


def test_a_message_shows_values_and_what_they_come_to():
    message = Message("合计 {total}，男生 {boys} 加女生 {girls} 是 {boys + girls}。", FIELDS)
    assert message.fill({"boys": 24, "girls": 22, "total": 56}, TODAY) == "合计 56，男生 24 加女生 22 是 46。"
    assert message.fill({"boys": 24}, TODAY) == "合计 —，男生 24 加女生 — 是 —。"
    shown = message.fill({"boys": 24, "girls": 22, "total": 56}, TODAY, show=lambda field, value: f"[{field}]")
    assert shown == "合计 [total]，男生 [boys] 加女生 [girls] 是 46。"


@pytest.mark.parametrize("text", ["合计 {total", "合计 total}", "合计 {totl}", "{}"])
def test_a_message_with_a_broken_hole_is_refused(text):
    with pytest.raises(RuleError):
        Message(text, FIELDS)
