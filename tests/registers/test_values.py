"""One cell → stored value: every way people write it, and what is refused with the reason."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from register_kit import AT, people, register

from jiaoheng.registers.masking import looks_masked, mask
from jiaoheng.registers.model import Field, FieldType, Sensitive, Wrong
from jiaoheng.registers.values import CLEARED, MASKED, parse, show, show_choice

REGISTER = people()


def value(kind: FieldType, cell: Any, **more: Any) -> Any:
    return parse(cell, Field("x", kind, "某项", **more), REGISTER, AT)


def refused(kind: FieldType, cell: Any, **more: Any) -> Wrong:
    found = value(kind, cell, **more)
    assert isinstance(found, Wrong), found
    return found


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (45.0, 45),
        (45, 45),
        ("45", 45),
        ("４５", 45),
        ("1,234", 1234),
        ("1，234", 1234),
        ("45人", 45),
        ("45 名", 45),
        ("-3", -3),
        ("−3", -3),
        ("45.0", 45),
        ("'45", 45),
        (0, 0),
        ("0", 0),
        (None, None),
        ("", None),
        ("　", None),
        ("—", None),
        ("12345678901234567", 12345678901234567),
    ],
)
def test_integers(cell: Any, expected: int | None) -> None:
    assert value(FieldType.INTEGER, cell) == expected


@pytest.mark.parametrize(
    "cell", ["约30", "三十", "3.5万", "12 34", "30-40", "√", True, dt.date(2025, 9, 1), "1,23", ".", "无"]
)
def test_what_is_no_number_is_never_guessed(cell: Any) -> None:
    assert refused(FieldType.INTEGER, cell).code == "not-a-number"


def test_a_fraction_is_no_whole_number() -> None:
    assert refused(FieldType.INTEGER, 45.5).code == "not-whole"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (95.5, "95.5"),
        (0.1, "0.1"),
        (100.0, "100"),
        ("95.50", "95.5"),
        ("95.5％", "95.5"),
        ("95.5%", "95.5"),
        (1e-7, "0.0000001"),
        (0.1 + 0.2, "0.3"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("１２．５", "12.5"),
        ("0.30000000000000000001", "0.30000000000000000001"),
    ],
)
def test_numbers_are_exact(cell: Any, expected: str) -> None:
    assert value(FieldType.NUMBER, cell, unit="%") == expected


def test_percent_without_such_a_unit_is_a_share() -> None:
    assert value(FieldType.NUMBER, "95.5%") == "0.955"
    assert refused(FieldType.NUMBER, "95.555", decimals=2).code == "too-many-decimals"
    assert value(FieldType.NUMBER, "95.50", decimals=1) == "95.5"


def test_ids_keep_their_zeros_and_long_ones_are_refused_as_numbers() -> None:
    """C01 and C02: text keeps zeros, a number format's zeros are restored, an 18-digit number cell is refused."""
    one = Field("x", FieldType.STRING, "编号", check="id_number")
    assert parse("0118030001", one, REGISTER, AT) == "0118030001"
    assert parse(118030002.0, one, REGISTER, AT, digits=10) == "0118030002"
    assert parse(118030003, one, REGISTER, AT) == "118030003"
    assert parse("99000020120407001x", one, REGISTER, AT) == "99000020120407001X"
    assert parse("９９００００ 20120407 0001", one, REGISTER, AT) == "990000201204070001"
    lost = parse(990000201204070001.0, one, REGISTER, AT)
    assert isinstance(lost, Wrong)
    assert lost.code == "number-precision-lost"
    assert "文本格式" in lost.remedy


@pytest.mark.parametrize("cell", ["是", "√", "有", "Y", "true", "TRUE", 1, 1.0, True, "１"])
def test_yes(cell: Any) -> None:
    assert value(FieldType.BOOLEAN, cell) is True


@pytest.mark.parametrize("cell", ["否", "×", "无", "N", "false", 0, 0.0, False])
def test_no(cell: Any) -> None:
    assert value(FieldType.BOOLEAN, cell) is False


def test_neither_yes_nor_no() -> None:
    assert refused(FieldType.BOOLEAN, "也许").code == "not-yes-or-no"


@pytest.mark.parametrize(
    "cell",
    [
        "2025-09-01",
        "2025/9/1",
        "2025.9.1",
        "2025年9月1日",
        "2025 年 9 月 1 日",
        "20250901",
        20250901,
        20250901.0,
        "２０２５－９－１",
        "2025-9-1 00:00:00",
        "2025年9月1日 星期一",
        dt.date(2025, 9, 1),
        dt.datetime(2025, 9, 1),
        dt.datetime(2025, 9, 1, 8, 30),
        "2025年9月1号",
    ],
)
def test_dates(cell: Any) -> None:
    assert value(FieldType.DATE, cell) == "2025-09-01"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("2025-13-01", "date-impossible"),
        ("2025-02-29", "date-impossible"),
        ("9月1日", "not-a-date"),
        ("25-9-1", "not-a-date"),
        ("去年", "not-a-date"),
        (45901, "not-a-date"),
    ],
)
def test_wrong_dates(cell: Any, code: str) -> None:
    assert refused(FieldType.DATE, cell).code == code


def test_a_bare_serial_number_says_which_day_it_would_be() -> None:
    assert "2025-09-01" in refused(FieldType.DATE, 45901).message


@pytest.mark.parametrize(
    "cell",
    [
        dt.datetime(2025, 9, 30, 23, 30),
        "2025-09-30 23:30",
        "2025/9/30 23:30:00",
        "2025年9月30日 23时30分",
        "2025-09-30T15:30:00Z",
        "2025-09-30T23:30:00+08:00",
        "2025-09-30 23：30",
        dt.datetime(2025, 9, 30, 23, 29, 59, 999_999),
    ],
)
def test_p29_a_time_cell_is_beijing_time(cell: Any) -> None:
    stored = value(FieldType.DATETIME, cell)
    assert stored == "2025-09-30T15:30:00Z"
    assert show(stored, Field("x", FieldType.DATETIME, "时间"), REGISTER, AT) == "2025-09-30 23:30"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_p29_the_server_zone_does_not_matter(zone: str) -> None:
    program = (
        "import datetime as dt\n"
        "from jiaoheng.registers.values_times import read_date, read_datetime, shown_datetime\n"
        "from jiaoheng.registers.model import Field, FieldType\n"
        "d, m = Field('d', FieldType.DATE, 'd'), Field('m', FieldType.DATETIME, 'm')\n"
        "s = read_datetime(dt.datetime(2025, 9, 30, 23, 30), m)\n"
        "print(read_date(dt.datetime(2025, 9, 1), d), read_date('2025-09-01', d), s, shown_datetime(s))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "2025-09-01 2025-09-01 2025-09-30T15:30:00Z 2025-09-30 23:30"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("8:20", "08:20"),
        ("８：２０", "08:20"),
        (dt.time(8, 20), "08:20"),
        ("8点20分", "08:20"),
        (dt.timedelta(hours=8, minutes=20), "08:20"),
        ("08:20:15", "08:20:15"),
        ("8点", "08:00"),
    ],
)
def test_times(cell: Any, expected: str) -> None:
    assert value(FieldType.TIME, cell) == expected


def test_years_and_months() -> None:
    assert value(FieldType.YEAR, 2025.0) == "2025"
    assert value(FieldType.YEAR, "2025年") == "2025"
    assert refused(FieldType.YEAR, "25").code == "not-a-year"
    for cell in ("2025-09", "2025年9月", "2025/9", "202509", 202509.0, dt.datetime(2025, 9, 1)):
        assert value(FieldType.YEARMONTH, cell) == "2025-09"
    assert refused(FieldType.YEARMONTH, "2025-13").code == "not-a-month"
    assert refused(FieldType.TIME, "25:00").code == "not-a-time"


@pytest.mark.parametrize("cell", ["01", "汉族", "01 汉族", "01-汉族", "汉族（01）", 1.0, "1", " 汉族 "])
def test_choices_by_code_or_label_or_both(cell: Any) -> None:
    assert value(FieldType.STRING, cell, codes="nation") == "01"


def test_a_code_with_another_label_is_refused() -> None:
    found = refused(FieldType.STRING, "01 回族", codes="nation")
    assert found.code == "code-unknown"
    assert "汉族、蒙古族、回族、朝鲜族" in found.remedy


@pytest.mark.parametrize(
    "cell", ["汉族、朝鲜族", "朝鲜族，汉族", "10;01", "01 汉族、10 朝鲜族", "汉族\n朝鲜族", "汉族、汉族、朝鲜族"]
)
def test_several_choices_in_one_cell(cell: str) -> None:
    assert value(FieldType.ARRAY, cell, codes="nation") == ["01", "10"]


def test_p19_an_ended_choice_names_its_day_and_a_renamed_one_keeps_its_code() -> None:
    one = Field("x", FieldType.STRING, "等级", codes="grade")
    ended = parse("C", one, REGISTER, dt.date(2025, 10, 1))
    assert isinstance(ended, Wrong)
    assert ended.code == "code-ended"
    assert "2025-09-01" in ended.message
    assert parse("C", one, REGISTER, dt.date(2024, 10, 1)) == "C"
    for word in ("乙级", "良好", "B"):
        assert parse(word, one, REGISTER, dt.date(2025, 10, 1)) == "B"
    assert show_choice("C", one, REGISTER, dt.date(2025, 10, 1)) == "C（2025-09-01 停用）"
    assert show_choice("C", one, REGISTER, dt.date(2024, 10, 1)) == "C"
    assert show("B", one, REGISTER, dt.date(2025, 8, 31)) == "乙级"
    assert show("B", one, REGISTER, dt.date(2025, 10, 1)) == "良好"


def test_clearing_blank_and_masked_cells() -> None:
    one = Field("x", FieldType.STRING, "身份证号", sensitive=Sensitive.ID_NUMBER)
    assert parse("清空", one, REGISTER, AT) is CLEARED
    assert parse("「清空」", one, REGISTER, AT) is CLEARED
    assert parse("990000********0001", one, REGISTER, AT) is MASKED
    assert parse(" ", one, REGISTER, AT) is None
    assert refused(FieldType.INTEGER, "#N/A").code == "error-value"


def test_chinese_punctuation_of_a_text_stays() -> None:
    assert value(FieldType.STRING, " 新建（二期），已完工。 ") == "新建（二期），已完工。"
    assert value(FieldType.STRING, "第一行\n第二行", widget="textarea") == "第一行\n第二行"
    assert value(FieldType.STRING, "第一行\n第二行") == "第一行 第二行"
    assert value(FieldType.STRING, 12.0) == "12"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("990000201204070001", Sensitive.ID_NUMBER, "990000********0001"),
        ("张伟强", Sensitive.NAME, "张*"),
        ("欧阳娜娜", Sensitive.NAME, "欧阳*"),
        ("王", Sensitive.NAME, "王*"),
        ("13800000000", Sensitive.PHONE, "138****0000"),
        ("东镇柳林村3号", Sensitive.ADDRESS, "东镇柳林村******"),
        ("低保", Sensitive.SPECIAL, "******"),
        ("12", Sensitive.ID_NUMBER, "***"),
    ],
)
def test_masks(text: str, kind: Sensitive, expected: str) -> None:
    """P06 and standards §10; a mask is recognised when it comes back."""
    assert mask(text, kind) == expected
    assert looks_masked(expected)
    assert mask(text, Sensitive.NONE) == text


def test_bounds_are_decimals() -> None:
    assert register(Field("a", FieldType.NUMBER, "率", minimum=Decimal("0.1"))).by_name["a"].minimum == Decimal("0.1")
