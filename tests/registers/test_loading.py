"""Packs: good ones become registers, bad ones tell every fault with its line; stored schemas come back equal."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from jiaoheng import packs
from jiaoheng.registers import rules
from jiaoheng.registers.loading import from_json, load_folder, load_shipped, schema_hash, to_json
from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Level, PeriodKind, Register, SchemaError
from jiaoheng.registers.versions import Fate, diff_versions

GOOD = """\
name: rooms
title: 教室
version: 1
effective_from: 2025-03-01
level: school
period: year
primaryKey: [room]
checks:
  - {name: lit, rule: "lamps > 0", message: "{room}没有灯。", level: warn}
fields:
  - {name: room, type: string, title: 房号, constraints: {required: true, maxLength: 10}}
  - {name: lamps, type: integer, title: 灯, unit: 盏, jump: 0.5, constraints: {minimum: 0, maximum: 99}}
  - {name: area, type: number, title: 面积, decimals: 1, constraints: {minimum: 0}}
  - {name: side, type: string, title: 朝向, codes: sides}
  - {name: state, type: string, title: 状况, constraints: {enum: [好, 中, 差]}}
"""
SIDES = """\
name: sides
title: 朝向
items: {"01": 南, "02": 北}
"""


def folder(path, registers=(), codes=(SIDES,)):
    for name, texts in (("registers", registers), ("codes", codes)):
        (path / name).mkdir(exist_ok=True)
        for number, text in enumerate(texts):
            (path / name / f"{name[0]}{number}.yaml").write_text(text, encoding="utf-8")
    return path


def faults(path, *args, **kwargs):
    with pytest.raises(SchemaError) as error:
        load_folder(folder(path, *args, **kwargs))
    return [str(one) for one in error.value.errors]


def changed(old, new, text=GOOD):
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_good_register_is_read_whole(tmp_path):
    found = load_folder(folder(tmp_path, [GOOD])).newest("rooms")
    assert (found.level, found.period, found.key) == (Level.SCHOOL, PeriodKind.YEAR, ("room",))
    assert found.by_name["lamps"].maximum == Decimal(99)
    assert found.by_name["lamps"].jump == Decimal("0.5")
    assert found.codes_of(found.by_name["side"]).valid(dt.date(2025, 9, 1)) == {"01": "南", "02": "北"}
    assert list(found.codes_of(found.by_name["state"]).valid(dt.date(2025, 9, 1))) == ["好", "中", "差"]


# what is changed in GOOD (old → new) and the whole text of the one fault
ONE_FAULT = [
    ("unit: 盏", "unti: 盏", "registers/r0.yaml:12 字段“lamps”里不认识“unti”。 是不是“unit”？"),
    ("period: year", "perod: year", ["registers/r0.yaml:1 台账缺少“period”。 请补上“period:”。", "registers/r0.yaml:6 台账里不认识“perod”。 是不是“period”？"]),
    ("level: school", "level: scool", "registers/r0.yaml:5 “level”写的是“scool”，不在可选范围。 是不是“school”？"),
    ("version: 1", "version: one", "registers/r0.yaml:3 “version”写的是“one”，应是不小于 1 的整数。 请改正。"),
    ("2025-03-01", "2025-02-30", "registers/r0.yaml:4 “effective_from”写的是“2025-02-30”，不是一个日期。 请写成 2025-09-01 的样子。"),
    ("type: integer", "type: int", "registers/r0.yaml:12 “字段“lamps”的 type”写的是“int”，不在可选范围。 是不是“integer”？"),
    ("maximum: 99", "maximum: many", "registers/r0.yaml:12 “字段“lamps”的 maximum”写的是“many”，应是数字。 请改正。"),
    ("{minimum: 0, maximum: 99}", "{minimum: 100, maximum: 99}", "registers/r0.yaml:12 字段“lamps”的下限 100 大于上限 99。 请改正其中一个。"),
    ("primaryKey: [room]", "primaryKey: [rom]", "registers/r0.yaml:7 主键里的“rom”不是本台账的字段。 是不是“room”？"),
    ("required: true, ", "", "registers/r0.yaml:7 主键“room”不是必填。 请在它的 constraints 里写 required: true。"),
    ("lamps > 0", "lamp > 0", "registers/r0.yaml:9 检查“lit”：没有字段“lamp”。 是不是“lamps”？"),
    ("{room}没有灯", "{rom}没有灯", "registers/r0.yaml:9 检查“lit”的说明：没有字段“rom”。 是不是“room”？"),
    ("codes: sides", "codes: side", "registers/r0.yaml:14 字段“side”的代码表“side”不存在。 是不是“sides”？"),
    ("name: area", "name: lamps", "registers/r0.yaml:13 字段名“lamps”重复，第 12 行已有。 请改其中一个的 name。"),
    ("title: 面积", "title: 灯", "registers/r0.yaml:13 列名“灯”重复，第 12 行已有。 请改其中一个的 title。"),
    ("name: area", "name: 面积", "registers/r0.yaml:13 “name”写的是“面积”，应由小写字母开头，只含小写字母、数字和下划线。 请改名。"),
    ("codes: sides", "reference: sides", "registers/r0.yaml:14 字段“side”的 reference 写的是“sides”。 请写成“台账名.字段名”，如 classes.class_code。"),
    ("codes: sides", "reference: room.room", "registers/r0.yaml:14 字段“side”指向的台账“room”不存在。 是不是“rooms”？"),
    ("codes: sides", "reference: rooms.rom", "registers/r0.yaml:14 字段“side”指向的“教室”里没有字段“rom”。 是不是“room”？"),
    ("codes: sides", "check: id_numbers", "registers/r0.yaml:14 “字段“side”的 check”写的是“id_numbers”，不在可选范围。"),
    ("decimals: 1, ", "filter: true, sensitive: special, ", "registers/r0.yaml:13 字段“area”是敏感列，不能筛选和排序。 请删去 filter；可用 search 按整号查找。"),
    ("maxLength: 10}", 'maxLength: 10, pattern: "[a"}', "registers/r0.yaml:11 字段“room”的 pattern“[a”不是正则表达式。 请改正，特殊符号前加反斜线。"),
    ("title: 朝向", "title 朝向", "registers/r0.yaml:14 字段“side”里不认识“title 朝向”。"),
    ("version: 1", "version: !!python/name:os.system 1", "registers/r0.yaml:3 用了类型标记“tag:yaml.org,2002:python/name:os.system”。 台账定义不用类型标记，请删去。"),
    ("title: 教室", "title: &a 教室\nsource: *a", "registers/r0.yaml:3 用了引用“*a”。 台账定义不用引用，请把内容写出来。"),
    ("version: 1", "version: 1\nversion: 2", "registers/r0.yaml:4 “version”在这里写了两次，第一次在第 3 行。 请只留一处。"),
    ("level: school", "level： school", "registers/r0.yaml:6 这一行读不懂：period: year。 冒号请用半角“:”并在后面空一格。"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), ONE_FAULT, ids=[new for _old, new, _expected in ONE_FAULT])
def test_a_fault_names_file_line_what_and_remedy(tmp_path, old, new, expected):
    told = faults(tmp_path, [changed(old, new)])
    for one in [expected] if isinstance(expected, str) else expected:
        assert any(text.startswith(one) for text in told), told


def test_all_faults_of_all_files_are_told_at_once_in_order(tmp_path):
    bad_codes = 'name: sides\ntitle: 朝向\nitems:\n  - {code: "01", label: 南, until: 2025-13-01}\n'
    bad = changed("unit: 盏", "unti: 盏", changed("level: school", "level: scool"))
    told = faults(tmp_path, [bad, "name: [\n"], [bad_codes])
    assert [text.partition(" ")[0] for text in told] == [
        "codes/c0.yaml:4",
        "registers/r0.yaml:5",
        "registers/r0.yaml:12",
        "registers/r1.yaml:2",
    ]


def test_code_tables_may_not_say_two_things_on_one_day(tmp_path):
    text = """\
name: sides
title: 朝向
items:
  - {code: "01", label: 南, until: 2025-09-01}
  - {code: "01", label: 朝南, from: 2025-08-31}
  - {code: "02", label: 北, from: 2025-09-01, until: 2025-09-01}
"""
    assert faults(tmp_path, [GOOD], [text]) == [
        "codes/c0.yaml:5 代码表“朝向”的代码 01 有两个名称同时有效：“南”（第 4 行）和“朝南”。"
        " 请给前一个写 until、后一个写 from，两段不重叠。",
        "codes/c0.yaml:6 代码表“朝向”的 02（北）2025-09-01 起用、2025-09-01 停用，一天也没有用过。 停用日应晚于起用日。",
    ]


def test_a_label_may_change_on_a_day(tmp_path):
    text = changed('items: {"01": 南, "02": 北}', '''items:
  - {code: "01", label: 南, until: 2025-09-01}
  - {code: "01", label: 朝南, from: 2025-09-01}
  - {code: "02", label: 北, until: 2025-09-01}''', SIDES)  # fmt: skip
    table = load_folder(folder(tmp_path, [GOOD], [text])).tables["sides"]
    assert table.valid(dt.date(2025, 8, 31)) == {"01": "南", "02": "北"}
    assert table.valid(dt.date(2025, 9, 1)) == {"01": "朝南"}


SECOND = changed("version: 1", "version: 2", changed("2025-03-01", "2025-09-01")) + (
    "  - {name: fans, type: integer, title: 风扇, constraints: {required: true}}\n"
)


def test_an_earlier_field_must_not_vanish_without_a_word(tmp_path):
    second = changed("name: lamps", "name: lights", changed("lamps > 0", "lights > 0", SECOND))
    assert faults(tmp_path, [GOOD, second]) == [
        "registers/r1.yaml:10 第 1 版的字段“lamps”（灯）在第 2 版没有了，也没有说去向。"
        " 改名的请在新字段写 renamed_from，不再要的请写进 dropped。"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: fans", "name: fans, renamed_from: [lamp]", "字段“fans”写了改自“lamp”，第 1 版没有这个字段。 是不是“lamps”？"),
        ("name: fans", "name: fans, renamed_from: [lamps]", "字段“fans”写了改自“lamps”，但本版还有字段“lamps”。 请改正其中一处。"),
        ("version: 2", "version: 2\ndropped: [lamps]", "dropped 里的“lamps”在本版还有。 请从 dropped 或 fields 中删去。"),
        ("version: 2", "version: 2\ndropped: [tables]", "dropped 里的“tables”在第 1 版没有。 请删去。"),
        ("version: 2", "version: 1", "“教室”第 1 版定义了两次，另一处在 registers/r0.yaml。 请改 version，或删去一个文件。"),
        ("2025-09-01", "2025-03-01", "第 2 版 2025-03-01 起用，不晚于第 1 版的 2025-03-01。 新版的起用日应在旧版之后。"),
    ],
)  # fmt: skip
def test_versions_agree_with_each_other(tmp_path, old, new, expected):
    told = faults(tmp_path, [GOOD, changed(old, new, SECOND)])
    assert [text for text in told if text.endswith(expected)], told


def test_a_bureaus_folder_builds_on_the_shipped_pack(tmp_path):
    shipped = load_shipped()
    text = changed("codes: sides", "codes: gender, reference: schools.school_code")
    assert (
        load_folder(folder(tmp_path, [text], []), base=shipped).newest("rooms").tables["gender"]
        == shipped.tables["gender"]
    )
    newer = changed("name: rooms", "name: classes", changed("version: 1", "version: 2"))
    with pytest.raises(SchemaError) as error:
        load_folder(folder(tmp_path, [newer]), base=shipped)
    assert "第 1 版的字段“class_code”（班级编号）在第 2 版没有了" in str(error.value)


def test_a_folder_that_is_no_pack_is_told(tmp_path):
    with pytest.raises(SchemaError) as error:
        load_folder(tmp_path)
    assert "里没有 registers 和 codes。 请指向装有这两个文件夹的上一级文件夹。" in str(error.value)


def test_a_bomb_of_nesting_is_refused(tmp_path):
    text = "name: " + "[" * 13 + "]" * 13
    assert faults(tmp_path, [text])[0] == "registers/r0.yaml:1 层次超过 12 层。 请检查缩进。"
    assert len(faults(tmp_path, ["name: " + "[" * 5000 + "]" * 5000])) == 1


SHIPPED = [version for versions in load_shipped().registers.values() for version in versions]


@pytest.mark.parametrize("register", SHIPPED, ids=lambda one: f"{one.name}-{one.version}")
def test_stored_schemas_come_back_equal_and_hash_alike(register):
    again = from_json(to_json(register))
    assert again == register
    assert schema_hash(again) == schema_hash(register)
    other = replace(register, fields=(replace(register.fields[0], title="别的"), *register.fields[1:]))
    assert schema_hash(other) != schema_hash(register)


@pytest.mark.parametrize("register", SHIPPED, ids=lambda one: f"{one.name}-{one.version}")
def test_shipped_registers_keep_the_house_rules(register):
    """Filters fit into the slots, every code table has its source, a key says which row, every remark a remedy."""
    assert sum(one.filter for one in register.fields) == len(register.slots)
    assert all(table.source for name, table in register.tables.items() if "." not in name)
    assert register.mechanisms
    assert register.department
    assert register.source
    for check in register.checks:
        assert "请" in check.message, check.name
        rules.parse_rule(check.rule, register.by_name)


def test_the_registers_asked_for_are_shipped():
    assert {
        "schools",
        "classes",
        "pupils",
        "teachers",
        "posts",
        "school_conditions",
        "party_branches",
        "documents",
        "activities",
        "class_teacher_book",
        "preschool",
        "publicity",
        "pupil_development",
    } <= set(load_shipped().registers)


def test_ethnicities_are_56_and_two_more():
    codes = load_shipped().tables["ethnicity"].valid(dt.date(2025, 9, 1))
    assert len(codes) == 58
    assert (codes["01"], codes["56"], codes["97"]) == ("汉族", "基诺族", "其他")


def test_class_sizes_cover_every_number_once():
    for entry in packs.load("class_size")["bands"]:
        names = entry["names"]
        assert [band["below"] for band in names[:-1]] == [band["least"] for band in names[1:]]
        assert (names[0]["least"], names[-1]["below"]) == (0, None)
        assert (entry["large"], entry["super"]) == (names[-2]["least"], names[-1]["least"])
    grades = set(load_shipped().tables["grade"].valid(dt.date(2025, 9, 1)))
    assert set(packs.load("class_size")["standard"][0]["by_grade"]) == grades


def test_a_register_made_in_code_can_be_stored():
    table = CodeTable("own.level", "级别", (CodeItem("甲", "甲"), CodeItem("乙", "乙", dt.date(2025, 1, 1))))
    own = Register(
        "own",
        "自建台账",
        1,
        dt.date(2025, 9, 1),
        Level.SCHOOL,
        PeriodKind.NONE,
        (
            Field("name", FieldType.STRING, "姓名", required=True),
            Field("level", FieldType.STRING, "级别", codes="own.level"),
            Field("on", FieldType.DATE, "日期", minimum=dt.date(2020, 1, 1)),
            Field("least", FieldType.NUMBER, "数", minimum=Decimal(0), min_length=None, decimals=2),
        ),
        key=("name",),
        tables={"own.level": table},
    )
    assert from_json(to_json(own)) == own


def test_a_new_version_says_what_happens_to_each_field():
    old, new = load_shipped().registers["school_conditions"]
    changes = {one.name or one.old_name: one for one in diff_versions(old, new)}
    assert changes["computers"].fate is Fate.RENAMED
    assert changes["computers"].sentence == "“电脑台数”改名为“计算机台数”，旧记录的值接着用。"
    assert changes["multimedia_rooms"].sentence == "新增“网络多媒体教室”，必填，旧记录里没有这一项，改旧记录时要补。"
    assert changes["projectors"].sentence == "“投影机台数”停用：旧记录里的值保留可查，新记录不再填。"
    assert changes["books"].fate is Fate.KEPT
    assert {one.old_name for one in changes.values()} - {""} == set(old.by_name)
    assert {one.name for one in changes.values()} - {""} == set(new.by_name)


def test_changes_of_type_choices_and_bounds_are_told():
    old = load_shipped().newest("preschool")
    fields = []
    for one in old.fields:
        if one.name == "fee":
            one = replace(one, type=FieldType.INTEGER, maximum=Decimal(3000))
        elif one.name == "decision":
            one = replace(one, codes="short", required=False)
        fields.append(one)
    table = CodeTable("short", "处置", (CodeItem("1", "准入"),))
    new = replace(old, version=2, fields=tuple(fields), tables={**old.tables, "short": table})
    told = [one.sentence for one in diff_versions(old, new) if one.fate is not Fate.KEPT]
    assert told == [
        "“保教费”由数改为整数，旧记录照原样显示，读不成新类型的在改记录时提示。",
        "“保教费”上限由 5000 改为 3000；旧记录不受影响，改旧记录时按新要求。",
        "“处置”的选项少了 3 个选项；旧记录显示当时的名称。",
        "“处置”改为选填；旧记录不受影响，改旧记录时按新要求。",
    ]
