"""Identity numbers, register numbers, school codes and their masks (standards §7, §10; case C02)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.ids import IdKind, check_digit, check_identity, check_register, check_school_code, from_15
from jiaoheng.methods.masks import mask_mobile, mask_name, mask_number

PLACES = st.sampled_from(["110105", "440524", "990000", "513022"])
BIRTHS = st.dates(dt.date(1930, 1, 1), dt.date(2025, 12, 31))


@pytest.mark.parametrize(
    ("first17", "last"), [("11010519491231002", "X"), ("44052418800101001", "4"), ("99000020120407000", "1")]
)
def test_check_digit_vectors(first17: str, last: str) -> None:
    assert check_digit(first17) == last


def test_check_digit_wants_seventeen_digits() -> None:
    with pytest.raises(ValueError, match="17 digits are needed"):
        check_digit("1101051949123100")
    with pytest.raises(ValueError, match="17 digits are needed"):
        check_digit("1101051949123１００2")


class TestResident:
    def test_a_good_number(self) -> None:
        found = check_identity("11010519491231002X")
        assert found.ok
        assert (found.kind, found.birth, found.sex) == (IdKind.RESIDENT, dt.date(1949, 12, 31), "女")

    @pytest.mark.parametrize(
        "text",
        [
            "11010519491231002x",
            " 110105 19491231 002X ",
            "１１０１０５１９４９１２３１００２Ｘ",
            "110105\u00a019491231002X\u200b",
        ],
    )
    def test_spellings(self, text: str) -> None:
        found = check_identity(text)
        assert found.ok
        assert found.text == "11010519491231002X"

    def test_the_rows_of_the_field_case(self) -> None:
        """Case C02: fine, folded x, wrong check digit, a document of another place."""
        assert check_identity("990000201204070001").ok
        assert check_identity("99000020120407001x").text == "99000020120407001X"
        wrong = check_identity("990000201204070002")
        assert wrong.problem == "末位校验码是 2，按前 17 位应为 1"
        other = check_identity("H12345678(9)")
        assert other.ok
        assert (other.kind, other.detail) == (IdKind.NON_MAINLAND, "港澳居民来往内地通行证")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("110105194913310020", "出生日期 1949-13-31 不存在"),
            ("110105201902290020", "出生日期 2019-02-29 不存在"),
            ("440524188001010014", "出生日期 1880-01-01 不合理"),
            ("1101051949123100", "身份证号有 16 位，应为 18 位"),
            ("1101051949123100222", "身份证号有 19 位，应为 18 位"),
            ("张三", "“张三”不是身份证号，也不是已知的港澳台或外国人证件号"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, problem: str) -> None:
        assert check_identity(text).problem == problem

    def test_a_birth_in_the_future(self) -> None:
        number = "11010520300101001" + check_digit("11010520300101001")
        assert check_identity(number).ok
        assert check_identity(number, dt.date(2026, 4, 28)).problem == "出生日期 2030-01-01 不合理"

    def test_fifteen_digits(self) -> None:
        found = check_identity("110105491231002")
        assert found.ok
        assert (found.kind, found.birth, found.sex) == (IdKind.RESIDENT_OLD, dt.date(1949, 12, 31), "女")
        assert from_15("110105491231002") == "11010519491231002X"
        assert check_identity("110105491331002").problem == "出生日期 1949-13-31 不存在"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("H1234567801", "港澳居民来往内地通行证"),
        ("M12345678", "港澳居民来往内地通行证"),
        ("A123456(7)", "香港身份证"),
        ("Ａ１２３４５６（７）", "香港身份证"),
        ("5123456(7)", "澳门身份证"),
        ("A123456789", "台湾身份证"),
        ("12345678", "台湾居民来往大陆通行证"),
        ("E12345678", "护照"),
        ("CHN110123456789", "外国人永久居留证"),
    ],
)
def test_documents_of_other_places(text: str, detail: str) -> None:
    found = check_identity(text)
    assert (found.kind, found.detail, found.ok) == (IdKind.NON_MAINLAND, detail, True)


def test_a_date_of_birth_is_no_document() -> None:
    assert check_identity("20120407").problem == "身份证号有 8 位，应为 18 位"


@given(PLACES, BIRTHS, st.integers(0, 999), st.integers(0, 17), st.integers(1, 9))
def test_one_changed_digit_never_passes(place: str, birth: dt.date, serial: int, where: int, by: int) -> None:
    """The check digit finds every single wrong digit; sex and birth are read back."""
    body = f"{place}{birth:%Y%m%d}{serial:03d}"
    number = body + check_digit(body)
    found = check_identity(number)
    assert found.ok
    assert found.birth == birth
    assert found.sex == ("男" if serial % 2 else "女")
    old = "10" if number[where] == "X" else number[where]
    digit = str((int(old) + by) % 10)
    changed = number[:where] + digit + number[where + 1 :]
    assert changed == number or not check_identity(changed).ok


class TestRegisterNumber:
    def test_regular(self) -> None:
        found = check_register("G11010519491231002X")
        assert found.ok
        assert (found.kind, found.detail, found.sex) == (IdKind.REGISTER, "正式学籍号", "女")

    def test_a_regular_number_is_checked(self) -> None:
        assert check_register("G110105194912310021").problem == "末位校验码是 1，按前 17 位应为 X"

    def test_provisional_numbers_need_no_identity_card(self) -> None:
        found = check_register("l110105194912310021")
        assert found.ok
        assert found.detail == "临时学籍号"

    def test_without_identity_number(self) -> None:
        found = check_register("J110105201204070011")
        assert found.ok
        assert (found.detail, found.birth, found.sex) == ("无身份证件学籍号", dt.date(2012, 4, 7), None)
        assert check_register("J110105201213070011").problem == "出生日期 2012-13-07 不存在"

    @pytest.mark.parametrize("text", ["X11010519491231002X", "G11010519491231002", ""])
    def test_form(self, text: str) -> None:
        assert check_register(text).problem == f"学籍号“{text}”应为 G、L 或 J 开头的 19 位"

    def test_letters_inside(self) -> None:
        assert check_register("G1101051949123A002X").problem == "学籍号 G 后面应为 18 位数字（末位可为 X）"


class TestSchoolCode:
    @pytest.mark.parametrize(
        ("code", "kind"), [("2151000123", "小学"), ("3141 012345", "普通初中"), ("3411000001", "普通高中（完全中学）")]
    )
    def test_kinds(self, code: str, kind: str) -> None:
        found = check_school_code(code)
        assert found.ok
        assert found.detail == kind

    @pytest.mark.parametrize(
        ("code", "problem"),
        [
            ("215100012", "学校标识码“215100012”应为 10 位数字"),
            ("9951000123", "学校标识码前两位 99 不是已知的办学类型"),
            ("2199000123", "学校标识码第 3、4 位 99 不是省级代码"),
        ],
    )
    def test_what_is_wrong(self, code: str, problem: str) -> None:
        assert check_school_code(code).problem == problem


class TestMasks:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [("张三", "张*"), ("欧阳修文", "欧*"), ("𠮷田", "𠮷*"), (" 李 ", "李*"), ("", ""), ("阿卜杜·买买提", "阿*")],
    )
    def test_names(self, name: str, shown: str) -> None:
        assert mask_name(name) == shown

    def test_identity_numbers(self) -> None:
        assert mask_number("11010519491231002X") == "1101**************"
        assert mask_number("11010519491231002X", 6, 4) == "110105********002X"

    @given(st.text("0123456789X", max_size=20), st.integers(0, 8), st.integers(0, 8))
    def test_at_least_a_third_is_hidden(self, number: str, head: int, tail: int) -> None:
        shown = mask_number(number, head, tail)
        assert len(shown) == len(number)
        assert shown.count("*") * 3 >= len(number)

    @pytest.mark.parametrize(
        ("number", "shown"), [("13812340000", "138****0000"), ("6212345", "*****45"), ("110", "***")]
    )
    def test_mobile(self, number: str, shown: str) -> None:
        assert mask_mobile(number) == shown
