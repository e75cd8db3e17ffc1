"""Sentences of the definitions that depend on the exam's settings: base, total, composite, levels, effective scores."""

from __future__ import annotations

from fractions import Fraction

from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.wording import mark
from jiaoheng.methods.intervals import MIN_RANKED
from jiaoheng.methods.scaling_rules import find_rule

ITEM_WORDS = {"mean": "得分率", "excellent": "优秀率", "good": "良好率", "pass": "及格率", "low": "低分率"}
TIES = {"near": "归到最接近规定比例的一侧（两侧一样近时就高）", "up": "一律就高", "down": "一律就低"}
BASES = {
    "B1": ("参考人数口径：分母为计入成绩的学生数。", "通行"),
    "B2": ("学籍人数口径：分母为应考学生中计入成绩的学生数。", "通行"),
    "B3": (
        "学籍折扣口径：分母为应考人数×（1－{discount}%），不取整；分子为计入成绩的学生，比率可能超过 100%。",
        "辽宁某自治县教育质量考核办法",
    ),
    "B4": (
        "起始年级追踪口径：学校、学区、全县的分母为考试设置声明的起始年级人数＋转入－转出。班级没有该数字，按计分人数。",
        "郧县、雁门口镇中学评价方案",
    ),
    "B5": (
        "截尾口径：每校按总分从高到低取前 {keep}%（人数只舍不入）的学生参加统计，缺考、违纪、空白按 0 分参加排列，同分按各科成绩再分先后。",
        "公开的成绩系统",
    ),
}


def base_words(exam: Exam) -> tuple[str, str]:
    """(text, source) of the denominator in force, with what absence, cheating and blanks do."""
    chosen, missing = exam.settings.denominator, exam.settings.missing
    words, source = BASES[chosen.rule]
    words = words.format(discount=percent_of(chosen.discount), keep=percent_of(chosen.keep))
    absent = "缺考按 0 分计入，并计入低分" if missing.absent == "计零" else "缺考不计入"
    cheated = "违纪按 0 分计入" if missing.cheated == "计零" else "违纪不计入"
    as_absent = missing.blank == "按缺考" and missing.absent == "计零"
    blank = "空白按缺考处理" if as_absent else "空白不计入"
    rest = "免考、未选考、缓考、休学和转出的不在分子也不在分母。"
    return f"{words}{absent}，{cheated}，{blank}。{rest}", source


def total_words(exam: Exam) -> str:
    """What is added, with folds, and what a lacking subject does."""
    own = exam.settings.subjects
    parts = []
    for name in (name for name in exam.subjects if name not in own or own[name].in_total):
        fold = own[name].fold if name in own else Fraction(1)
        parts.append(name if fold == 1 else f"{name}×{share_of(fold)}")
    missing = exam.settings.missing
    if missing.total == "缺科计零":
        rule = "缺的应考学科按 0 分计入总分，一科都没有参加的没有总分"
    elif missing.absent == "计零":
        blank = "，空白同缺考" if missing.blank == "按缺考" else "，有空白的没有总分"
        rule = f"缺考的学科按 0 分计入总分{blank}"
    else:
        rule = "缺任何应考学科的学生没有总分"
    cheated = (
        "违纪的学科按 0 分计入" if missing.cheated == "计零" or missing.total == "缺科计零" else "有学科违纪的没有总分"
    )
    full = mark(exam.papers[exam.main].full)
    return f"{'＋'.join(parts)}。{rule}；{cheated}；未选考和免考的学科不算缺。满分 {full} 分，为最多学生所考学科的满分之和。"


def composite_words(exam: Exam) -> str:
    """The family's formula with its weights; the joining of subjects."""
    chosen = exam.settings.composite
    used = {name: chosen.weights[name] for name in ITEM_WORDS if chosen.weights.get(name)}
    total = sum(used.values(), Fraction(0))
    weights = "、".join(f"{ITEM_WORDS.get(name, name)} {share_of(weight)}" for name, weight in used.items())
    joined = f"各学科按{_subject_weights(exam)}加权平均；没有人参加的学科不计，缺少任何一科成绩的学校没有综合指数。"
    if chosen.family == "名次":
        equal = len({exam.papers[name].weight for name in exam.subjects}) == 1
        added = "相加" if equal else f"按{_subject_weights(exam)}相乘后相加"
        return (
            f"名次法：各学科校均分第一名 {mark(chosen.first)} 分，每低一名减 {mark(chosen.minus)} 分，减到 0 为止，"
            f"同名次同分；各学科得分{added}。不足 {MIN_RANKED} 名的学校不参加。"
        )
    if chosen.family == "比最高":
        factor = "100×" if total == 1 else ""
        return (
            f"比最高法：{factor}Σ权重×（本校÷全县最高的学校）（{weights}；平均分按得分率）。{joined}"
            f"不足 {MIN_RANKED} 名的学校不作最高值；全县最高为 0 的一项各校都记 0。"
        )
    if chosen.family == "比县均":
        factor = "100×" if total == 1 else ""
        return (
            f"比县均法：{factor}Σ权重×（本校÷全县）（{weights}；平均分按得分率）。{joined}全县为 0 的一项各校都记 0。"
        )
    return f"线性法：{_linear(used)}。{joined}"


def _linear(used: dict[str, Fraction]) -> str:
    """The linear formula as it is computed: low is subtracted, or enters as 1 − low where the weights need it."""
    low = used.get("low", Fraction(0))
    others = sum((weight for name, weight in used.items() if name != "low"), Fraction(0))
    complement = bool(low) and others not in (1, 100)
    terms = "＋".join(f"{share_of(w)}×{ITEM_WORDS.get(n, n)}" for n, w in used.items() if n != "low")
    if low:
        terms += f"＋{share_of(low)}×（1－低分率）" if complement else f"－{share_of(low)}×低分率"
    return f"100×（{terms}）" if others + (low if complement else 0) == 1 else terms


def _subject_weights(exam: Exam) -> str:
    weights = {name: exam.papers[name].weight for name in exam.subjects}
    if len(set(weights.values())) == 1:
        return "相等的权重"
    return f"权重（{'、'.join(f'{name} {share_of(weight)}' for name, weight in weights.items())}）"


def level_words(exam: Exam) -> str:
    """The bounds of the levels, by shares of pupils or by score rate."""
    levels = exam.settings.levels
    if levels.by_shares:
        cuts = "、".join(
            f"{name} 累计前 {percent_of(bound)}%" for name, bound in zip(levels.names, levels.bounds, strict=True)
        )
        return f"按全县名次的累计比例，各科分别划定：{cuts}；同分同等级，归到最接近规定比例的一侧（两侧一样近时就高）。"
    begins = list(zip(levels.names, levels.bounds, strict=False))
    if len(levels.bounds) == len(levels.names):
        begins.pop()  # the last level takes all below
    cuts = "、".join(f"{name} 得分率 ≥ {share_of(bound)}" for name, bound in begins)
    return f"按得分率：{cuts}；其余为 {levels.names[-1]}；界线不取整。" if cuts else f"全部为 {levels.names[-1]}。"


def effective_words(exam: Exam) -> str:
    """The method of effective scores; given ones named."""
    chosen = exam.settings.lines
    given = any(line.subject_lines for line in chosen.lines)
    tail = "考试设置直接给出的有效分照用。" if given else ""
    if chosen.effective == "B":
        words = "名次法：K＝该科考生中总分上线的人数，有效分＝这些考生中该科第 K 名的分数，同分全部计入。"
    elif chosen.effective == "C":
        words = f"临界带法：总分在线上下 {mark(chosen.band)} 分以内（含两端）的该科考生的该科平均分，不取整。"
    else:
        words = "比例法：总分上线的该科考生的该科平均分×总分线÷他们的总分平均分，四舍五入取整。"
    return f"{words}各类别分别计算。{tail}"


def scaled_words(exam: Exam) -> str:
    """Rule, subjects, pool and formula of the scaled scores."""
    chosen = exam.settings.scaling
    if not chosen.rule:
        return "本次没有赋分。"
    rule = find_rule(chosen.rule, exam.settings.date)
    levels = "、".join(f"{one.name} {share_of(one.share)}%（{one.high}–{one.low}）" for one in rule.levels)
    single = "区间中值（四舍五入）" if rule.single == "middle" else "区间上限"
    return (
        f"按“{chosen.rule}”规则，学科：{'、'.join(chosen.subjects)}。转换的人群是本次参加该科并有成绩的全体学生（含零分，不含违纪）；"
        f"按原始分从高到低划等级：{levels}；比例累计计算，同分同等级，跨线的同分{TIES[chosen.ties]}。"
        f"等级内 T＝T1＋(Y－Y1)×(T2－T1)÷(Y2－Y1)，Y1、Y2 为该等级实际的最低、最高原始分，四舍五入取整；"
        f"等级内只有一个原始分的取{single}。"
    )


def own_thresholds(exam: Exam, field: str) -> str:
    """Subjects whose own threshold differs from the exam's."""
    common = getattr(exam.settings.thresholds, field)
    own = {name: getattr(exam.cuts(name), field) for name in exam.subjects}
    words = "、".join(f"{name} {share_of(value)}" for name, value in own.items() if value != common)
    return f"其中{words}。" if words else ""


def share_of(value: Fraction) -> str:
    """0.85, 0.3333."""
    return mark(value, 4)


def percent_of(value: Fraction) -> str:
    """27, 0.5."""
    return mark(value * 100)
