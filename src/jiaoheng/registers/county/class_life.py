"""Class teachers' books, home contacts and the growth records of pupils, for a part of the classes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from jiaoheng.registers.county.classes import NEWEST, stage_of
from jiaoheng.registers.county.people import picks
from jiaoheng.registers.county.pupils import Pupils
from jiaoheng.registers.model import Data

_MOTTOES = ("静以修身", "向阳而生", "日有所进", "自律自强", "笃行不怠", "心中有爱")
_POSTS = ("班长", "学习委员", "劳动委员", "体育委员", "文艺委员", "生活委员")
_SUBJECTS = {
    "1": ("语文", "数学", "英语", "体育与健康"),
    "2": ("语文", "数学", "英语", "物理", "历史"),
    "3": ("语文", "数学", "英语", "物理", "化学"),
}
_TALKS = (
    ("1", "数学作业常缺，家里没有安静的地方", "放学留校半小时完成作业"),
    ("2", "与同学争执后主动道歉", "家长在家多听孩子说"),
    ("7", "本周三次举手发言，值得表扬", "家长写一句鼓励的话"),
    ("4", "周一迟到两次，父母在外务工由祖母接送", "调整接送时间"),
    ("3", "近来睡得晚，上课没精神", "九点前收手机"),
    ("5", "放学路上常去河边", "由祖父接送到家"),
)
_HABITS = ("A", "B", "C", "D")


def book_rows(
    pupils: Pupils, heads: Sequence[tuple[str, str]], chosen: Sequence[int], rng: np.random.Generator
) -> tuple[list[str], list[Data]]:
    """The form of each chosen class, with numbers that agree with its pupils."""
    girls, boys = pupils.counts(pupils.girl), pupils.counts(~pupils.girl)
    boarders, left = pupils.counts(pupils.boarding), pupils.counts(pupils.left_behind)
    starts = np.concatenate([[0], np.cumsum(girls + boys)])
    units: list[str] = []
    rows: list[Data] = []
    for at in chosen:
        one = pupils.classes[at]
        total = int(girls[at] + boys[at])
        own = pupils.names[int(starts[at]) : int(starts[at]) + total]
        subjects = _SUBJECTS.get(stage_of(one.grade(NEWEST), one.special), ("主班", "副班"))
        groups = max(1, total // 9)
        units.append(one.unit)
        rows.append(
            {
                "head_teacher": heads[at][0],
                "boys": int(boys[at]),
                "girls": int(girls[at]),
                "total": total,
                "boarders": int(boarders[at]),
                "left_behind": int(left[at]),
                "class_profile": f"全班 {total} 名，留守儿童 {int(left[at])} 名。多数学生习惯良好，少数作业拖拉，需要家校一起盯。",
                "motto": _MOTTOES[at % len(_MOTTOES)],
                "subject_teachers": "\n".join(
                    f"{subject} {heads[(at + place) % len(heads)][0]}" for place, subject in enumerate(subjects)
                ),
                "class_committee": "\n".join(f"{post} {name}" for post, name in zip(_POSTS, own, strict=False)),
                "help_groups": groups,
                "helped_pupils": min(total, groups * 2),
                "help_plan": "每组一名组长带两名同学，周三、周五课后互助。",
                "visited_families": int(rng.integers(0, max(2, total // 3))),
                "parent_meetings": 1,
                "class_meetings": int(rng.integers(4, 12)),
            }
        )
    return units, rows


def contact_rows(
    pupils: Pupils, chosen: Sequence[int], until: dt.date, rng: np.random.Generator
) -> tuple[list[str], list[Data]]:
    """Two to five contacts of each chosen class this term, each pupil once a day and way."""
    sizes = np.bincount(pupils.klass, minlength=len(pupils.classes))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    first = dt.date(NEWEST, 9, 8)
    span = (until - first).days
    units: list[str] = []
    rows: list[Data] = []
    for at in chosen:
        members = rng.permutation(int(sizes[at]))[: int(rng.integers(2, 6))].tolist()
        for place in members:
            matter, content, agreement = _TALKS[int(rng.integers(0, len(_TALKS)))]
            day = first + dt.timedelta(days=int(rng.integers(0, span)))
            units.append(pupils.classes[at].unit)
            rows.append(
                {
                    "contacted_on": day.isoformat(),
                    "pupil_name": pupils.names[int(starts[at]) + place],
                    "contact_way": picks(rng, ["1", "2", "3", "5"], [4, 4, 1, 2], 1)[0],
                    "contact_matter": matter,
                    "talked_with": picks(rng, ["51", "52", "61", "62"], [3, 4, 1, 2], 1)[0],
                    "content": content,
                    "agreement": agreement,
                    "next_on": (day + dt.timedelta(days=28)).isoformat(),
                }
            )
    return units, rows


def growth_rows(pupils: Pupils, chosen: Sequence[int], rng: np.random.Generator) -> tuple[list[str], list[Data]]:
    """Growth records of the pupils of the chosen classes; only grades, no ranks."""
    wanted = np.isin(pupils.klass, np.array(chosen))
    where = np.flatnonzero(wanted)
    count = len(where)
    grades = rng.choice(4, size=(count, 5), p=[0.34, 0.46, 0.18, 0.02])
    scores = np.clip(np.round(rng.normal(79, 9, count), 1), 40, 110)
    books = rng.poisson(7, count)
    vision = np.clip(np.round(rng.normal(4.85, 0.25, (count, 2)), 1), 3.6, 5.3)
    units: list[str] = []
    rows: list[Data] = []
    for place, at in enumerate(where.tolist()):
        source = pupils.rows[at]
        score = float(scores[place])
        grade = "1" if score >= 90 else "2" if score >= 80 else "3" if score >= 60 else "4"
        units.append(pupils.units[at])
        letters = [_HABITS[one] for one in grades[place].tolist()]
        rows.append(
            {
                "pupil_number": source["pupil_number"],
                "name": source["name"],
                "class_code": source["class_code"],
                "habit_life": letters[0],
                "habit_learning": letters[1],
                "habit_manners": letters[2],
                "handwriting": letters[3],
                "books_read": int(books[place]),
                "fitness_score": f"{score:.1f}".removesuffix(".0"),
                "fitness_grade": grade,
                "vision_left": f"{vision[place, 0]:.1f}".removesuffix(".0"),
                "vision_right": f"{vision[place, 1]:.1f}".removesuffix(".0"),
                "specialities": ["07"] if place % 3 else ["06", "25"],
                "arts_grade": letters[4],
                "labour_hours": int(place % 12),
            }
        )
    return units, rows
