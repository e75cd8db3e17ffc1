"""Names in the settings that must be names of the roster: schools of cohorts (B4) and districts, tracks and subjects of lines.

A misspelt name would silently leave a school without its denominator or a line without its pupils.
"""

from __future__ import annotations

from collections.abc import Iterator

from jiaoheng import packs
from jiaoheng.exams.resolved import ResolvedSettings
from jiaoheng.exams.roster_model import Roster
from jiaoheng.sheets.places import Place, Problem, Severity

PLACE = Place(file="考试设置")


def track_words(track: str) -> frozenset[str]:
    """Every spelling of a track (物理类, 物理, 理科): pupils written in any of them belong to it."""
    for entry in packs.load("joining")["electives"]["tracks"].values():
        if track in entry["words"]:
            return frozenset(entry["words"])
    return frozenset((track,))


def check_names(settings: ResolvedSettings, roster: Roster) -> list[Problem]:
    """Names of the settings that the roster does not know, and schools that the settings forget."""
    if roster.pupils.height == 0:
        return []
    schools = [name for name in roster.pupils["school"].unique(maintain_order=True).to_list() if name]
    return [*_cohorts(settings, schools), *_lines(settings, roster), *_districts(settings, schools)]


def _cohorts(settings: ResolvedSettings, schools: list[str]) -> Iterator[Problem]:
    cohort = settings.denominator.cohort
    if settings.denominator.rule != "B4" or not cohort:
        return
    lacking = [name for name in schools if name not in cohort]
    unknown = [name for name in cohort if name not in schools]
    if lacking or unknown:
        parts = [f"没有{_listed(lacking)}的起始年级人数"] if lacking else []
        parts += [f"填写的{_listed(unknown)}不在名册中"] if unknown else []
        remedy = f"请在“起始年级人数”中为每所学校填写一行，名称与名册一致：{_listed(schools, 12)}"
        yield Problem("settings-cohort", Severity.ERROR, PLACE, f"分母口径 B4：{'；'.join(parts)}", remedy)


def _lines(settings: ResolvedSettings, roster: Roster) -> Iterator[Problem]:
    tracks = {track for track in roster.pupils["track"].unique().to_list() if track}
    for line in settings.lines.lines:
        if line.track and not tracks & track_words(line.track):
            there = f"名册中的科类有{_listed(sorted(tracks))}" if tracks else "名册中没有科类"
            message = f"“{line.name}”的类别“{line.track}”没有一名学生，{there}"
            yield Problem("settings-track", Severity.ERROR, PLACE, message, "请改正划线的类别，或在成绩表中写明科类")
        unknown = [name for name in line.subject_lines if name not in roster.scores]
        if unknown:
            message = f"“{line.name}”给出了{_listed(unknown)}的有效分，但名册中没有这些学科"
            remedy = f"请改正学科名称，现有：{_listed(list(roster.scores), 12)}"
            yield Problem("settings-subject", Severity.ERROR, PLACE, message, remedy)


def _districts(settings: ResolvedSettings, schools: list[str]) -> Iterator[Problem]:
    unknown = [name for name in settings.districts if name not in schools]
    if unknown and schools:
        message = f"“学校所属学区”中的{_listed(unknown)}不在名册中"
        yield Problem("settings-district", Severity.WARNING, PLACE, message, "请核对学校名称是否与名册一致")


def _listed(names: list[str], most: int = 5) -> str:
    return "、".join(names[:most]) + (f"等 {len(names)} 个" if len(names) > most else "")
