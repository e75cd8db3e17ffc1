"""What schools do: party branches, documents, activities and awards, publicity; rows of texts from small lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county.people import picks
from jiaoheng.registers.county.places import School
from jiaoheng.registers.county.teachers import Teacher
from jiaoheng.registers.model import Data

_FIVE_STANDARDS = 0.95  # of the branches are 五化支部
_LEAST_MEMBERS = 3
_BRANDS = ("红烛先锋", "清风育人", "党旗映校园", "先锋讲台", "初心课堂", "润心党建")
_DOCUMENTS = (
    ("1", "章程", 5),
    ("3", "教学常规管理办法", 3),
    ("2", "党组织会议议事规则", 3),
    ("4", "学生一日常规", 3),
    ("5", "教师考核办法", 3),
    ("7", "安全工作责任制", 2),
    ("8", "经费收支管理办法", 3),
    ("9", "食堂管理办法", 2),
    ("10", "教职工代表大会制度", 5),
    ("6", "学生手机管理办法", 3),
)
# kind, title, award object, level codes with shares, whether it has a prize
_ACTIVITIES = (
    ("1", "开学第一课", "0", "6"),
    ("2", "校本教研周", "0", "6"),
    ("5", "中小学生田径运动会", "4", "43"),
    ("6", "艺术展演合唱比赛", "5", "432"),
    ("7", "青少年科技创新大赛", "4", "432"),
    ("8", "读书节经典诵读", "2", "65"),
    ("9", "劳动实践周", "0", "6"),
    ("10", "消防疏散演练", "0", "6"),
    ("11", "家长开放日", "0", "6"),
    ("4", "课题结题", "3", "432"),
    ("12", "优秀教师评选", "3", "43"),
    ("5", "校园足球联赛", "5", "54"),
)
_NEWS = (
    "{name}举行秋季运动会",
    "{name}开展消防疏散演练",
    "书香进校园：{name}读书节开幕",
    "{name}课后服务办出特色",
    "{name}家访进千家",
    "{name}教师在县赛课中获一等奖",
    "{name}劳动教育基地丰收",
    "{name}举办经典诵读展演",
    "{name}心理健康周侧记",
    "让每个孩子都被看见：{name}的导师制",
)
_MEDIA = (
    ("1", "青槐日报", "4"),
    ("1", "省教育报", "2"),
    ("2", "青槐县融媒体中心", "4"),
    ("4", "青槐县人民政府网", "4"),
    ("5", "青槐教育发布", "4"),
    ("6", "青槐教育视频号", "4"),
    ("7", "学校网站", "6"),
    ("8", "教育工作简报", "4"),
    ("4", "市教育局网站", "3"),
    ("1", "中国教育导报", "1"),
)
_MEDIA_SHARE = (14, 3, 9, 8, 30, 8, 14, 8, 5, 1)


def party_rows(
    schools: Sequence[School], staff: dict[str, list[Teacher]], year: int, today: dt.date, rng: np.random.Generator
) -> tuple[list[str], list[Data]]:
    """One branch a school with three members or more, the others join one; 95 of 100 keep the five standards."""
    units: list[str] = []
    rows: list[Data] = []
    for school in schools:
        members = [one for one in staff.get(school.code, []) if one.row["political_status"] == "01"]
        if len(members) < _LEAST_MEMBERS:
            continue
        last = dt.date(year - 1 - school.index % 3, 11, 10 + school.index % 18)
        star = picks(rng, ["5", "4", "3", "2"], [22, 46, 26, 6], 1)[0]
        units.append(school.code)
        rows.append(
            {
                "branch_name": f"{school.name}党支部",
                "branch_kind": "1",
                "secretary": str(members[-1].row["name"]),
                "members": len(members),
                "probationary": school.index % 2,
                "activists": school.index % 4,
                "teacher_members": len(members) - (1 if len(members) > 8 else 0),
                "star": star,
                "five_standards": True,
                "meetings": 20 + int(rng.integers(0, 12)),
                "theme_days": 8 + int(rng.integers(0, 5)),
                "last_election": last.isoformat(),
                "next_election": _after(last, 3, today).isoformat(),
                "brand": _BRANDS[school.index % len(_BRANDS)],
            }
        )
    short = len(rows) - round(len(rows) * _FIVE_STANDARDS)
    for at in rng.permutation(len(rows))[:short].tolist():
        rows[at] |= {"five_standards": False, "star": "2"}
    return units, rows


def _after(day: dt.date, years: int, today: dt.date) -> dt.date:
    """So many years later; where that is over, the year it is planned for now."""
    found = day.replace(year=day.year + years)
    return found if found > today else found.replace(year=today.year + 1)


def document_rows(
    schools: Sequence[School], staff: dict[str, list[Teacher]], today: dt.date, rng: np.random.Generator
) -> tuple[list[str], list[Data]]:
    """The charter and the rules of each school; a few are due for review."""
    units: list[str] = []
    rows: list[Data] = []
    for school in schools:
        own = staff.get(school.code, [])
        count = len(_DOCUMENTS) if len(own) > 15 else 4
        for number, (kind, title, years) in enumerate(_DOCUMENTS[:count], 1):
            issued = dt.date(int(rng.integers(2021, 2026)), int(rng.integers(1, 13)), int(rng.integers(1, 28)))
            review = issued.replace(year=issued.year + years)
            overdue = review <= today
            row: Data = {
                "document_number": f"{school.code[-4:]}校发〔{issued.year}〕{number}号",
                "title": f"{school.name}{title}",
                "document_kind": kind,
                "status": "4" if overdue and rng.random() < 0.7 else "3",
                "version_label": f"{issued.year} 年修订",
                "issued_on": issued.isoformat(),
                "adopted_by": f"第{'一二三四'[school.index % 4]}届教代会第{'一二三'[number % 3]}次会议",
                "review_on": review.isoformat(),
                "owner": str(own[number % len(own)].row["name"]) if own else "办公室",
                "published": number <= 3,
            }
            if kind == "1":
                row["approved_on"] = (issued + dt.timedelta(days=30)).isoformat()
            units.append(school.code)
            rows.append(row)
    return units, rows


def activity_rows(
    schools: Sequence[School],
    staff: dict[str, list[Teacher]],
    year: int,
    until: dt.date,
    share: float,
    rng: np.random.Generator,
) -> tuple[list[str], list[Data]]:
    """Activities, awards and open lessons of a school year, up to a day."""
    totals = load("county")["totals"]
    units: list[str] = []
    rows: list[Data] = []
    first = dt.date(year, 9, 5)
    span = max(20, min(300, (until - first).days))
    for school in schools:
        own = [one for one in staff.get(school.code, []) if one.row["full_time"]]
        if not own:
            continue
        some = rng.permutation(len(_ACTIVITIES))[: 4 + int(rng.integers(0, 6))].tolist()
        for at in sorted(some):
            kind, title, award, levels = _ACTIVITIES[at]
            day = first + dt.timedelta(days=int(rng.integers(0, span)))
            teacher = own[int(rng.integers(0, len(own)))].row
            winner = {"3": str(teacher["name"]), "2": "三（1）班"}.get(award, school.name)
            row: Data = {
                "held_on": day.isoformat(),
                "title": f"{year} 学年{title}",
                "activity_kind": kind,
                "level": levels[int(rng.integers(0, len(levels)))],
                "award_object": award,
                "winner": winner,
                "participants": int(rng.integers(20, 400)),
            }
            if award != "0":
                row |= {
                    "award_grade": picks(rng, ["1", "2", "3", "4"], [2, 3, 4, 2], 1)[0],
                    "given_by": "青槐县教育局" if row["level"] in ("4", "5") else "上级主办单位",
                    "coach": str(teacher["name"]),
                }
            units.append(school.code)
            rows.append(row)
    _open_lessons(
        schools, staff, first, span, (totals["open_lessons"], totals["open_lesson_hours"]), share, units, rows, rng
    )
    return units, rows


def _open_lessons(
    schools: Sequence[School], staff: dict[str, list[Teacher]], first: dt.date, span: int, totals: tuple[int, int],
    share: float, units: list[str], rows: list[Data], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Open lessons of the county: so many, with so many lessons in all, each by another teacher or on another day."""
    count, lessons = max(1, round(totals[0] * share)), max(1, round(totals[1] * share))
    able = [
        (school, one)
        for school in schools
        for one in staff.get(school.code, [])
        if one.row["full_time"] and one.row["stage"] != "0"
    ]
    chosen = rng.choice(len(able), size=min(count, len(able)), replace=False).tolist()
    each, rest = divmod(lessons, len(chosen))
    for number, at in enumerate(chosen):
        school, one = able[at]
        units.append(school.code)
        rows.append(
            {
                "held_on": (first + dt.timedelta(days=int(rng.integers(0, span)))).isoformat(),
                "title": "送教下乡公开课" if number % 3 else "县级展示课",
                "activity_kind": "3",
                "level": "4",
                "award_object": "0",
                "winner": str(one.row["name"]),
                "subject": str(one.row["subject"]),
                "participants": int(rng.integers(10, 60)),
                "lessons": each + (1 if number < rest else 0),
            }
        )


def publicity_rows(
    schools: Sequence[School],
    staff: dict[str, list[Teacher]],
    count: int,
    first: dt.date,
    last: dt.date,
    rng: np.random.Generator,
) -> tuple[list[str], list[Data]]:
    """So many items between two days, each school and title once a day and medium."""
    units: list[str] = []
    rows: list[Data] = []
    seen: set[tuple[str, str, str, str]] = set()
    media = np.array(_MEDIA_SHARE) / sum(_MEDIA_SHARE)
    able = [one for one in schools if staff.get(one.code)]
    while len(rows) < count:
        school = able[int(rng.integers(0, len(able)))]
        kind, name, level = _MEDIA[int(rng.choice(len(_MEDIA), p=media))]
        day = (first + dt.timedelta(days=int(rng.integers(0, (last - first).days)))).isoformat()
        title = _NEWS[int(rng.integers(0, len(_NEWS)))].format(name=school.name)
        if (school.code, day, title, kind) in seen:
            continue
        seen.add((school.code, day, title, kind))
        own = staff[school.code]
        row: Data = {
            "published_on": day,
            "title": title,
            "medium": kind,
            "medium_name": school.name + "网站" if kind == "7" else name,
            "level": level,
            "author": str(own[int(rng.integers(0, len(own)))].row["name"]),
            "words": int(rng.integers(200, 2000)),
        }
        if kind in ("4", "5", "6", "7"):
            row |= {"reads": int(rng.integers(80, 6000)), "link": f"https://example.cn/qinghuai/{len(rows) + 1:05d}"}
        else:
            row["issue"] = f"第 {int(rng.integers(1, 320))} 期"
        units.append(school.code)
        rows.append(row)
    return units, rows
