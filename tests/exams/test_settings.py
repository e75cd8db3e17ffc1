"""Settings from exam.yaml, the 设置 sheet and answers: same words, same messages, places named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_file import (
    SettingsError,
    answers_from_sheet,
    apply_answers,
    dump_settings,
    load_settings,
    merge,
    settings_from_sheet,
)
from jiaoheng.exams.settings_words import field_words
from jiaoheng.packs import load
from jiaoheng.sheets.workbook import Sheet

CHINESE = """\
考试名称: 2026年九年级一模
考试日期: 2026年4月21日
学段: 初中
年级: 初三
性质: 一模
学科:
  语: {满分: 120, 最小计分单位: 0.5}
  道法: {满分: 80分, 计入总分: 是}
等级线: {优秀: 85%, 及格: 0.6}
分母: {口径: 参考人数}
综合评价:
  方法: 线性法
  权重: {均分: 40, 优秀率: 30, 及格率: 30}
划线:
  分数线:
    - {线名: 普高线, 计划人数: 300}
学生名单: {名次段: 50、100、200}
记号: {"/": 缺, "-": 未选}
"""
ENGLISH = """\
name: 2026年九年级一模
date: 2026-04-21
stage: 初中
grade: 九年级
nature: 毕业班模拟
subjects:
  语文: {full: 120, step: 0.5}
  道德与法治: {full: 80, in_total: true}
thresholds: {excellent: 0.85, pass: 0.6}
denominator: {rule: B1}
composite:
  family: 线性
  weights: {mean: 40, excellent: 30, pass: 30}
lines:
  lines:
    - {name: 普高线, places: 300}
pupils: {rank_bands: [50, 100, 200]}
marks: {"/": 缺考, "-": 未选}
"""


def read(tmp_path: Path, text: str | bytes) -> tuple[ExamSettings, list[str]]:
    path = tmp_path / "exam.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, problems = load_settings(path)
    return found, [str(problem) for problem in problems]


def test_chinese_and_english_names_are_the_same_settings(tmp_path: Path) -> None:
    chinese, problems = read(tmp_path, CHINESE)
    english, more = read(tmp_path, ENGLISH)
    assert problems == []
    assert more == []
    assert chinese == english
    assert chinese.date == dt.date(2026, 4, 21)
    assert chinese.thresholds.excellent == Decimal("0.85")
    assert chinese.pupils.rank_bands == (50, 100, 200)
    assert chinese.subjects["道德与法治"].full == 80


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_files_of_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    found, problems = read(tmp_path, CHINESE.replace("\n", "\r\n").encode(encoding))
    assert problems == []
    assert found.name == "2026年九年级一模"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: 一模\n满分们: 3\n", 2, ["没有名为“满分们”的设置", "这里可以写"]),
        ("subjects:\n  语文:\n    ful: 120\n", 3, ["“subjects › 语文”中没有名为“ful”", "是否应为“满分”（full）"]),
        ("thresholds:\n  excellent: 85\n", 2, ["thresholds › excellent", "“85”", "0 到 1 之间", "85%"]),
        ("thresholds:\n  pass: -0.1\n", 2, ["应不小于 0"]),
        ("thresholds: {excellent: 0.6, pass: 0.8}\n", 1, ["优秀线 0.6 低于及格线 0.8"]),
        ("subjects:\n  语文: {full: 一百二}\n", 2, ["subjects › 语文 › full", "“一百二”", "应是一个数"]),
        ("subjects:\n  语文: {full: 0}\n", 2, ["“0”", "应大于 0"]),
        ("subjects:\n  语文: 120\n", 2, ["应是下级设置", "“120”"]),
        ("subjects:\n  语文: {full: 100, step: 0.3}\n", 2, ["满分 100 不是最小计分单位 0.3 的整数倍"]),
        ("subjects:\n  语: {full: 100}\n  语文: {full: 120}\n", 3, ["“语文”", "写了两次"]),
        ("name: [甲, 乙]\n", 1, ["“name”应是一个值", "一个列表"]),
        ("marks: 缺考\n", 1, ["“marks”应逐行写", "“缺考”"]),
        ('marks: {"/": 没来}\n', 1, ["“没来”", "不是状态也不是分数", "未选"]),
        ("date: 2026-02-30\n", 1, ["这一天不存在"]),
        ("date: 四月\n", 1, ["“四月”", "应是日期", "2026-04-21"]),
        ("grade: 十三年级\n", 1, ["“十三年级”", "年级不认识"]),
        ("grade: 高一\nstage: 初中\n", 2, ["年级是高一，学段却是初中", "属于高中"]),
        ("nature: 毕业模拟\n", 1, ["不在可选的内容中", "是否应为“毕业班模拟”"]),
        ("denominator: {rule: B9}\n", 1, ["“B9”", "B1、B2、B3、B4、B5"]),
        ("denominator: {rule: B4}\n", 1, ["B4", "起始年级人数"]),
        ("composite:\n  weights: {mean: 40, excellent: 30, pass: 25}\n", 2, ["合计是 95", "应为 1或 100"]),
        ("composite: {family: 比最高, weights: {mean: 0.5, low: 0.5}}\n", 1, ["不能含低分率"]),
        ("composite: {weights: {人缘: 1}}\n", 1, ["没有名为“人缘”的项"]),
        ("subjects: {语文: {weight: 0.5}, 数学: {weight: 0.45}}\n", 1, ["各学科权重合计是 0.95"]),
        ("subjects: {语文: {weight: 1}, 数学: {}}\n", 1, ["只有一部分学科填了权重", "数学"]),
        ("lines: {lines: [{name: 普高线}]}\n", 1, ["“普高线”既没有分数也没有计划人数"]),
        ("lines: {lines: [{name: 甲, score: 1, places: 2}]}\n", 1, ["同时给了分数和计划人数"]),
        ("levels: {names: [A, B], score_rates: [0.6]}\n", 1, ["等级名称有 2 个，等级分数界限有 1 个"]),
        ("levels: {score_rates: [0.6, 0.8, 0]}\n", 1, ["没有从大到小"]),
        ("levels: {shares: [0.2, 0.9]}\n", 1, ["最后一项是 0.9", "没有等级"]),
        ("pupils: {rank_bands: [100, 50]}\n", 1, ["名次段是 100、50", "从小到大"]),
        ("name: 一模\nname: 二模\n", 2, ["“name”在这里写了两次"]),
        ("name: 一模\n考试名称: 二模\n", 2, ["是同一项设置，写了两次"]),
        ("a: &x [1]\nb: *x\n", 2, ["引用“*x”"]),
        ("name: !!python/object/apply:os.system [ls]\n", 1, ["类型标记"]),
        ("name: 甲\n---\nname: 乙\n", 2, ["第二份文档"]),
        ("subjects:\n\t语文: {full: 1}\n", 2, ["制表符"]),
        ("name：一模\ndate: 2026-04-21\n", 2, ["半角"]),
        ("subjects:\n  语文: {full: 120\nname: 甲\n", 3, ["读不懂"]),
        ("- 1\n- 2\n", 0, ["设置应是下级设置", "一个列表"]),
        ("? [a, b]\n: c\n", 1, ["名称是一个列表"]),
        ("name: " + "[" * 30 + "]" * 30 + "\n", 1, ["层次超过"]),
    ],
)
def test_a_fault_names_line_field_content_and_remedy(tmp_path: Path, text: str, line: int, words: list[str]) -> None:
    _, problems = read(tmp_path, text)
    assert problems, "the fault was not seen"
    shown = next((problem for problem in problems if words[0] in problem), problems[0])
    for word in words:
        assert word in shown
    assert shown.startswith("exam.yaml 第" if line else "exam.yaml")
    if line:
        assert f"第{line}行" in shown


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "grade: 大一\ndate: 昨天\nscope: 全国\n")
    assert [problem.split("：")[0] for problem in problems] == [f"exam.yaml 第{n}行" for n in (1, 2, 3)]


def test_an_alias_bomb_is_refused_by_its_first_alias(tmp_path: Path) -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
    )
    found, problems = read(tmp_path, bomb)
    assert found == ExamSettings()
    assert len(problems) == 1
    assert "第2行" in problems[0]
    assert "引用“*a”" in problems[0]


def test_hostile_bytes_give_a_sentence(tmp_path: Path) -> None:
    for data in (b"\x00\x01\x02", b"\xff\xfe\x00", b"\xff" * 50, b"x" * (2 << 20), b"{" * 5000):
        found, problems = read(tmp_path, data)
        assert found == ExamSettings()
        assert len(problems) == 1
        assert "Traceback" not in problems[0]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(list("abc:：-[]{}&*!|>'\"#,?%@`\t\n \r学科满分语文120.5年月日/\ufeff\u2028\x00"))))
def test_any_text_gives_settings_or_sentences(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    found, problems = read(tmp_path_factory.mktemp("fuzz"), text)
    assert isinstance(found, ExamSettings)
    assert all(problem.startswith("exam.yaml") for problem in problems)


cells = st.one_of(st.none(), st.sampled_from([*(w["title"] for w in load("settings_words")["tables"]), "优秀线", "满分"]),
                  st.text(max_size=6), st.floats(allow_nan=True), st.booleans(), st.datetimes())  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=12))
def test_any_sheet_gives_settings_or_sentences(rows: list[list[object]]) -> None:
    found, problems = settings_from_sheet(sheet(rows))
    assert isinstance(found, ExamSettings)
    assert all(str(problem).startswith("甲.xlsx") for problem in problems)
    answers_from_sheet(sheet(rows, "待确认"))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "无.yaml", tmp_path):
        _, problems = load_settings(path)
        assert [problem.code for problem in problems] == ["settings-missing"]
        assert "打不开" in problems[0].message


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    for text in ("", "# 说明\n", "name:\nsubjects:\nthresholds:\n"):
        assert read(tmp_path, text) == (ExamSettings(), [])


def test_every_field_of_the_model_has_chinese_words() -> None:
    fields = load("settings_words")["fields"]
    from jiaoheng.exams import settings as module

    for model, words in fields.items():
        names = {info.alias or key for key, info in getattr(module, model).model_fields.items()}
        assert names == set(words)
        spelled = [word for name, entry in words.items() for word in (name, entry["zh"], *entry.get("also", ()))]
        assert len(field_words(model)) == len(set(spelled)), f"{model}: a word stands for two fields"


shares = st.decimals(min_value=0, max_value=1, places=3)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")), min_size=1)
subjects = st.dictionaries(
    st.sampled_from(["语文", "数学", "英语", "物理"]),
    st.fixed_dictionaries(
        {},
        optional={
            "full": st.integers(1, 1000),
            "in_total": st.booleans(),
            "fold": st.decimals("0.01", 5, places=2),
        },
    ),
)
some_settings = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "date": st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)),
        "grade": st.sampled_from(["一年级", "九年级", "高三"]),
        "subjects": subjects,
        "thresholds": st.fixed_dictionaries({"excellent": shares}),
        "districts": st.dictionaries(texts, texts, max_size=4),
        "marks": st.dictionaries(texts, st.sampled_from(["缺考", "未选", "12.5"]), max_size=3),
        "prior": st.fixed_dictionaries({"files": st.lists(texts, max_size=3)}),
        "people": st.dictionaries(texts, texts, max_size=2),
    },
).map(ExamSettings.model_validate)


@settings(max_examples=60, deadline=None)
@given(some_settings)
def test_dumped_settings_read_back_the_same(tmp_path_factory: pytest.TempPathFactory, value: ExamSettings) -> None:
    text = dump_settings(value)
    yaml.safe_load(text)  # any YAML reader can read it
    found, problems = read(tmp_path_factory.mktemp("dump"), text)
    assert problems == []
    # a subject about which nothing is said and an empty map say nothing
    assert found.model_dump() == value.model_dump()


@settings(max_examples=60, deadline=None)
@given(some_settings, some_settings)
def test_merging(base: ExamSettings, override: ExamSettings) -> None:
    empty = ExamSettings()
    assert merge(base, empty) == base
    joined = merge(base, override)
    assert merge(joined, override) == joined
    assert joined.name == (override.name or base.name)
    for name in {**base.marks, **override.marks}:
        assert joined.marks[name] == override.marks.get(name, base.marks.get(name))


def test_answers_are_set_at_their_paths() -> None:
    base = ExamSettings.model_validate({"subjects": {"化学": {"full": 70}}, "marks": {"-": "缺考"}})
    found = apply_answers(
        base,
        {
            ("marks", "/"): "未选",
            ("subjects", "化学", "full"): "100",
            ("columns", "甲.xlsx|九(1)班|C"): "化学",
            ("rows", "甲.xlsx|九(1)班|17"): "忽略",
            ("sheets", "甲.xlsx|小题"): "数学",
            ("grade",): "初三",
            ("accept", "total-subjects"): "全部",
        },
    )
    assert found.marks == {"-": "缺考", "/": "未选"}
    assert found.subjects["化学"].full == 100
    assert found.columns == {"甲.xlsx|九(1)班|C": "化学"}
    assert found.sheets == {"甲.xlsx|小题": "数学"}
    assert found.grade == "九年级"


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({("subjects", "化学", "full"): "很多"}, "应是一个数"),
        ({("marks", "/"): "请假"}, "不是状态也不是分数"),
        ({("rows", "甲|乙|3"): "采纳"}, "采用、忽略"),
        ({("nosuch", "x"): "1"}, "没有名为“nosuch”"),
        ({("grade",): "高一"}, "学段却是初中"),
        ({("subjects", "化学", "step"): "0.3"}, "整数倍"),
    ],
)
def test_a_bad_answer_is_refused(answers: dict[tuple[str, ...], str], word: str) -> None:
    base = ExamSettings.model_validate({"stage": "初中", "subjects": {"化学": {"full": 70}}})
    with pytest.raises(SettingsError, match=word):
        apply_answers(base, answers)


def sheet(rows: list[list[object]], name: str = "设置") -> Sheet:
    width = max(len(row) for row in rows)
    return Sheet("甲.xlsx", name, [row + [None] * (width - len(row)) for row in rows])  # type: ignore[list-item]


def test_a_settings_sheet_says_the_same_as_yaml(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["考试设置"],
        ["项目", "内容", "说明"],
        ["考试名称：", "2026年九年级一模"],
        ["考试日期", dt.datetime(2026, 4, 21)],
        ["学段", "初中"],
        ["年级", "初三"],
        ["考试性质", "一模"],
        [None],
        ["等级线"],
        ["优秀线", 0.85],
        ["及格线", "60%"],
        ["【统计口径】", None, "说明文字"],
        ["分母口径", "B1"],
        ["综合评价"],
        ["综合评价方法", "线性"],
        ["平均分权重", 40.0],
        ["优秀率权重", 30],
        ["及格率权重", 30],
        ["名次段", "50、100、200"],
        ["【学科】"],
        ["学科", "满分", "最小计分单位", "计入总分"],
        ["语文", 120.0, 0.5, None],
        [None],
        ["道法", 80, None, True],
        ["【分数线】"],
        ["线名", "分数", "计划人数"],
        ["普高线", None, 300],
        ["记号含义"],
        ["记号", "含义"],
        ["/", "缺"],
        ["-", "未选"],
    ]
    found, problems = settings_from_sheet(sheet(rows))
    assert problems == []
    assert found == read(tmp_path, ENGLISH)[0]


def test_faults_of_a_settings_sheet_name_the_cell() -> None:
    rows: list[list[object]] = [
        ["考试名成", "一模"],
        ["优秀线", 85],
        ["学科"],
        ["学科", "满份"],
        ["语文", 120],
        [None, 100],
    ]
    _, problems = settings_from_sheet(sheet(rows))
    shown = [str(problem) for problem in problems]
    assert any("甲.xlsx 工作表“设置” A1" in text and "是否应为“考试名称”" in text for text in shown)
    assert any("B2" in text and "0 到 1 之间" in text for text in shown)
    assert any("B5" in text and "没有名为“满份”的列" in text and "是否应为“满分”" in text for text in shown)
    assert any("A6" in text and "没有学科" in text for text in shown)


def test_short_label_with_full_mark_is_understood() -> None:
    found, problems = settings_from_sheet(sheet([["语文满分", 150], ["数学满分", "150分"]]))
    assert problems == []
    assert {name: item.full for name, item in found.subjects.items()} == {"语文": 150, "数学": 150}


HEADER: list[object] = ["编号", "位置", "问题", "可选", "默认", "您的答复", "键"]


def test_answers_come_from_the_hidden_key_or_the_number_column() -> None:
    rows: list[list[object]] = [
        ["请在最后一列选择答复"],
        HEADER,
        ["subjects › 化学 › full", "", "满分", "", "100", 70.0, '["subjects", "化学", "full"]'],
        ["marks › /", "", "含义", "未选（没有选考）；缺考（应考未考）", "缺考", "没有选考", None],
        ["grade", "", "年级", "", "", None, '["grade"]'],
    ]
    found = answers_from_sheet(sheet(rows, "待确认"))
    assert found.values == {("subjects", "化学", "full"): "70", ("marks", "/"): "未选"}
    assert found.places[("marks", "/")].cell == "F4"
    assert found.problems == ()
    assert apply_answers(ExamSettings(), found.values, found.places).marks == {"/": "未选"}


def test_wrong_answer_sheets_are_told() -> None:
    lost = answers_from_sheet(sheet([["编号", "问题"], ["a", "b"]], "待确认"))
    assert lost.problems[0].code == "answers-header"
    rows: list[list[object]] = [
        HEADER,
        ["", "", "", "", "", "是", None],
        ["grade", "", "", "", "", "高一", None],
        ["grade", "", "", "", "", "高二", None],
    ]
    codes = [problem.code for problem in answers_from_sheet(sheet(rows, "待确认")).problems]
    assert codes == ["answers-key", "answers-double"]


def test_the_document_lists_every_field() -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    for fields in load("settings_words")["fields"].values():
        for name, entry in fields.items():
            assert f"| `{name}` | {entry['zh']} |" in text
