"""Lists of pupils 学籍名单 against the score sheets."""

from __future__ import annotations

import numpy as np
import polars as pl

from jiaoheng.exams.gathering import Gathered
from jiaoheng.exams.joining import Joined
from jiaoheng.sheets.places import Problem, Severity


def check_enrolment(gathered: Gathered, joined: Joined) -> list[Problem]:
    """Pupils of a list who have no scores, and pupils with scores who are in no list although their school gave one."""
    pupils, rows = joined.pupils, gathered.rows
    if not bool(rows["listed"].any()):
        return []
    listed = np.zeros(pupils.height, np.bool_)
    positions = joined.position[rows["listed"].to_numpy()]
    listed[positions[positions >= 0]] = True
    table = pupils.select("school", "name", only_listed="listed").with_columns(pl.Series("in_list", listed))
    with_list = table.with_columns(pl.col("in_list").any().over("school").alias("school_listed"))
    unlisted = with_list.with_row_index("i").filter(pl.col("school_listed") & ~pl.col("in_list"))
    problems = []
    absent = int(table["only_listed"].sum())
    if absent:
        message = f"学生名单中有 {absent} 名学生没有成绩，各科按空白计"
        first = gathered.sheet_place(int(rows.filter("listed")["sheet"][0]))
        problems.append(Problem("listed-without-scores", Severity.NOTE, first, message))
    if unlisted.height:
        names = "、".join(name or "（无名）" for name in unlisted["name"].head(5))
        place = gathered.place(int(pupils["row"][int(unlisted["i"][0])]))
        message = f"{unlisted.height} 名有成绩的学生不在学生名单中：{names}"
        remedy = "请核对是否借读、转入或姓名、学号写错"
        problems.append(Problem("not-in-list", Severity.WARNING, place, message, remedy))
    return problems
