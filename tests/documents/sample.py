"""A realistic report with every kind of block, as messy in its names as life is."""

from __future__ import annotations

import random
from fractions import Fraction

from jiaoheng.documents import charts
from jiaoheng.documents.charts import Caption, Estimate, Point
from jiaoheng.documents.model import (
    Bullets,
    Chart,
    Definition,
    Dim,
    Interval,
    KeyFigure,
    KeyFigures,
    Kind,
    Missing,
    Note,
    Paragraph,
    Report,
    Section,
    Suppressed,
    Table,
    TableColumn,
    Tone,
    Value,
)

RARE = "垚喆玥䶮㛃犇翀赟祎旻玹"
MARKUP = "<b>A&B</b>实验学校"
SUBJECTS = ("语文", "数学", "英语", "物理", "化学", "道德与法治", "历史")
TOWNS = [
    "槐阳",
    "柳渡",
    "桐岭",
    "松涧",
    "枫林",
    "沙洲",
    "双溪",
    "白石",
    "南坝",
    "云坪",
    "龙潭",
    "高坪",
    "石桥",
    "青山",
    "河湾",
    "古城",
    "长岭",
    "大湾",
    "清泉",
    "望江",
]


def school_names() -> list[str]:
    """60 schools; some with markup, rare characters, a formula, the same name twice."""
    names = [f"{town}镇{kind}" for kind in ("初级中学", "第二初级中学", "九年一贯制学校") for town in TOWNS]
    names[3] = MARKUP
    names[7] = f"{RARE[:5]}中学"
    names[11] = "=cmd|'/C calc'!A1"
    names[13] = "-云坪乡九年一贯制学校（含教学点、分校区）"
    names[17] = names[16]
    return names


def school_table(rng: random.Random) -> Table:
    """60 schools and the county with upper heads, intervals, missing, suppressed and small numbers."""
    columns = [
        TableColumn("school", "学校", definition="unit"),
        TableColumn("n", "参考人数", Kind.COUNT, unit="名"),
        TableColumn("rank", "名次", Kind.RANK),
    ]
    for subject in ("语文", "数学", "总分"):
        columns += [
            TableColumn(f"{subject}.mean", "均分", Kind.NUMBER, 2, group=subject, unit="分", definition="mean"),
            TableColumn(f"{subject}.ci", "95% 区间", Kind.INTERVAL, 1, group=subject, unit="分"),
            TableColumn(f"{subject}.pass", "及格率", Kind.PERCENT, 2, group=subject, definition="pass"),
            TableColumn(
                f"{subject}.over", "超均率", Kind.SIGNED_PERCENT, 2, group=subject, unit="%", definition="over"
            ),
        ]
    rows: list[tuple[Value, ...]] = []
    for index, name in enumerate(school_names()):
        row: list[Value] = [name, rng.randint(30, 620), index + 1]
        for full in (120, 120, 860):
            mean = Fraction(rng.randint(450, 850), 1000) * full
            row += [mean, Interval(float(mean) - 2.31, float(mean) + 2.31), Fraction(rng.randint(300, 990), 1000)]
            row += [(mean / full - Fraction(65, 100)) / Fraction(65, 100)]
        if index == 5:
            row[1:] = [0, Missing("全体缺考"), *[Missing("全体缺考")] * 12]
        if index == 8:
            row[1] = Dim(7)
            row[2] = Missing("人数不足 10，不排名")
            row[3] = Dim(Fraction(1601, 20))
            row[5] = Suppressed()
        rows.append(tuple(row))
    county: list[Value] = ["全县", 18432, None]
    for full in (120, 120, 860):
        county += [Fraction(65, 100) * full, Missing("全县是参照，没有区间"), Fraction(2, 3), Fraction(0)]
    rows.append(tuple(county))
    return Table(
        "school_scores",
        "各校语文、数学与总分一分三率",
        tuple(columns),
        tuple(rows),
        note="按总分均分从高到低；区间为 95% 置信区间。",
        emphasis=frozenset({len(rows) - 1}),
        sheet="学校比较",
        wide=True,
    )


def subject_table() -> Table:
    columns = (
        TableColumn("subject", "学科"),
        TableColumn("full", "满分", Kind.NUMBER, 0, unit="分"),
        TableColumn("mean", "平均分", Kind.NUMBER, 2, unit="分", definition="mean"),
        TableColumn("rate", "得分率", Kind.PERCENT, 2),
        TableColumn("excellent", "优秀率", Kind.PERCENT, 2, group="三率"),
        TableColumn("pass", "及格率", Kind.PERCENT, 2, group="三率", definition="pass"),
        TableColumn("low", "低分率", Kind.PERCENT, 2, group="三率"),
        TableColumn("change", "较上次", Kind.SIGNED, 1, unit="分"),
    )
    rows: list[tuple[Value, ...]] = []
    for index, subject in enumerate(SUBJECTS):
        rate = Fraction(58 + 3 * index, 100)
        change: Value = Fraction(-125, 100) + index if index else Missing("上次未考")
        rows.append((subject, 120, rate * 120, rate, Fraction(2675, 10000), Fraction(49, 150), Fraction(1, 8), change))
    return Table("subjects", "各学科一分三率", columns, tuple(rows))


def sample_charts(rng: random.Random) -> dict[str, Chart]:
    """One chart of every builder."""
    names = school_names()
    estimates = []
    for index, name in enumerate(names[:30]):
        value = Fraction(rng.randint(-60, 60), 10)
        width = Fraction(rng.randint(8, 40), 10)
        estimates.append(Estimate(name, value, value - width, value + width, rated=index not in (8, 9)))
    distribution = {
        name: [(x, 1000 * 2.718 ** (-(((x - centre) / 120) ** 2))) for x in range(0, 860, 20)]
        for name, centre in (("物理类", 430), ("历史类", 520))
    }
    shares = [(name, (12.5, 27.5, 35, 18, 7)) for name in names[:8]]
    heat = [[rng.randint(-200, 200) / 10 for _ in SUBJECTS] for _ in names[:12]]
    heat[2][3] = None  # type: ignore[call-overload]
    points = [Point(str(i + 1), rng.random(), rng.uniform(0.05, 0.6)) for i in range(26)]
    schools = [Point(name, rng.uniform(55, 85), rng.uniform(50, 82), named=i < 3) for i, name in enumerate(names[:40])]
    made = [
        charts.interval_plot(
            Caption(
                "intervals",
                "9 所学校与全县确有差别",
                "点是增值，线是 95% 区间；单位：分",
                "30 所学校的区间图",
                "school_scores",
            ),
            estimates,
            reference=0,
            reference_label="全县 0",
            unit="分",
        ),
        charts.bars(
            Caption(
                "bars",
                "槐阳镇初级中学及格率最高",
                "及格率＝不低于满分 60% 的人数÷参考人数",
                "及格率条形图",
                "school_scores",
            ),
            [(name, rng.randint(300, 950) / 10) for name in names[:12]],
            unit="%",
            reference=66.7,
        ),
        charts.subject_profile(
            Caption("profile", "物理、化学低于全县，语文高于全县", "得分率＝均分÷满分", "学科轮廓图", "subjects"),
            [(subject, 55 + 4 * i, 62 + 2 * i) for i, subject in enumerate(SUBJECTS)],
            unit_name="柳渡镇初级中学",
        ),
        charts.distribution(
            Caption("distribution", "两类考生的总分分布错开约 90 分", "每 20 分一段的人数", "总分分布图"),
            distribution,
            x_title="总分（分）",
            y_title="人数",
            lines=[(480, "本科线 480")],
        ),
        charts.distribution(
            Caption("one", "总分呈单峰", "每 20 分一段的人数", "总分分布图"),
            {"全县": distribution["物理类"]},
            x_title="总分（分）",
            y_title="人数",
        ),
        charts.stacked_levels(
            Caption("levels", "A 等占比各校相差不到一成", "各等级人数占参考人数的百分比", "等级分布图"),
            list("ABCDE"),
            shares,
        ),
        charts.heat_table(
            Caption("heat", "数学的校际差距最大", "超均率＝（校均－县均）÷县均", "学校与学科的超均率"),
            names[:12],
            SUBJECTS,
            heat,
        ),
        charts.scatter(
            Caption("prior", "起点高的学校多数仍高", "横轴上次均分，纵轴本次均分", "两次均分的散点图"),
            schools,
            x_title="上次均分（分）",
            y_title="本次均分（分）",
            fit=(5, 0.9),
        ),
        charts.item_scatter(
            Caption("items", "3 道题区分度不足 0.20", "难度＝均分÷满分；区分度为 27% 法", "题目散点图"),
            points,
            easy=0.7,
            hard=0.4,
            poor=0.2,
            good=0.4,
        ),
        charts.mastery_bars(
            Caption("mastery", "“函数与图象”掌握最弱", "知识点得分率", "知识点得分率"),
            [("函数与图象", 41.2, 48.0), ("三角形", 62.5, 60.1), ("统计与概率", 78.9, None), ("实数", 81.0, 79.5)],
        ),
    ]
    return {chart.key: chart for chart in made}


def sample_report(seed: int = 7) -> Report:
    """Three chapters and more, all block types."""
    rng = random.Random(seed)
    pictures = sample_charts(rng)
    headline = Section(
        "headline",
        "总体情况",
        (
            Paragraph(
                "60 所初中里，9 所与全县确有差别：5 所高于全县，4 所低于全县；其余学校的差别在抽样误差以内。",
                strong=True,
            ),
            Paragraph(
                "本次考试全县应考 18,912 名，实考 18,432 名，参考率 97.46%。总分均分 559.00 分，得分率 65.00%。"
                "均分高不等于进步多：槐阳镇第三初级中学均分高于全县，但低于这批学生应有的水平。"
            ),
            KeyFigures(
                (
                    KeyFigure("参考人数", "18,432", "名", "应考 18,912 名，参考率 97.46%", "n"),
                    KeyFigure("总分均分", "559.00", "分", "满分 860 分，得分率 65.00%", "mean"),
                    KeyFigure("及格率", "66.67", "%", "12,288 名不低于 516 分", "pass"),
                    KeyFigure("校际差异", "3.5", "%", "其余在同校学生之间"),
                )
            ),
            Note("一年的结果不单独用于奖惩；人数不足 10 的学校只列出，不排名。", Tone.WARN),
            subject_table(),
            pictures["distribution"],
            pictures["one"],
        ),
    )
    compare = Section(
        "compare",
        "学校与班级比较",
        (Paragraph("区间不含 0 的学校才说高于或低于。两校区间重叠时，先后不作数。", strong=True),),
        (
            Section("who", "哪些学校确有差别", (pictures["intervals"], pictures["bars"], pictures["prior"])),
            Section("all", "逐校数字", (school_table(rng), pictures["heat"], pictures["levels"])),
        ),
    )
    items = Section(
        "items",
        "题目与知识点",
        (
            Bullets(
                ("第 7 题区分度为负，请核对答案。", "“函数与图象”得分率 41.20%，低于全县 6.80 个百分点。"),
                numbered=True,
            ),
            pictures["items"],
            pictures["mastery"],
            pictures["profile"],
        ),
    )
    problems = Section(
        "problems",
        "数据问题与假定",
        (
            Note("有 2 个问题影响数字，已按默认处理。", Tone.BAD),
            Bullets(
                (
                    "柳渡镇.xlsx 工作表“九(2)班”E17：成绩 155 超过满分 150。请改正，或在考试设置中修改满分。",
                    f"{MARKUP}：学生 {RARE} 与 O'Neil & <script>alert(1)</script> 同名，按学号区分。\x07\u202e",
                )
            ),
            Table(
                "empty",
                "未交成绩的学校",
                (TableColumn("school", "学校"), TableColumn("why", "说明")),
                (),
                note="没有这样的学校。",
            ),
        ),
    )
    definitions = (
        Definition("unit", "学校", "学生考试当日的就读学校。", "本次考试设置"),
        Definition("n", "参考人数", "状态为正常、零分的考生数；缺考、免考不计。", "口径 B1"),
        Definition("mean", "平均分", "总分÷参考人数；四舍五入到两位小数。", "标准 §1.2"),
        Definition(
            "pass", "及格率", "不低于满分 60% 的人数÷参考人数；阈值不取整，59.5 分对 60 分线为不及格。", "标准 §1.2"
        ),
        Definition("over", "超均率", "（单位均分－参照均分）÷参照均分×100%。", "标准 §1.6"),
    )
    return Report(
        title="青槐县 2026 年春季九年级毕业班第一次模拟考试质量分析报告",
        organisation="青槐县教育局教学研究室",
        date="2026年4月28日",
        subtitle="供局长办公会讨论",
        document_number="青教研〔2026〕12号",
        sections=(headline, compare, items, problems),
        definitions=definitions,
        notice="内部资料，仅限局领导和教研室，不得公开或转发",
        watermark="教研室 张三 2026-04-28 18:00",
        meta={"版本": "0.1.0", "文件": [{"名称": "柳渡镇.xlsx", "sha256": "ab" * 32}]},
    )
