"""The tables of OneRoster 1.2 CSV that are exchanged here, and a set of them.

Source: 1EdTech OneRoster 1.2 CSV Binding. Lists in a cell are parted by commas; dates are ISO days; an empty cell is no
value. `bulk`: the whole table; `delta`: only what changed, with `status` and `dateLastModified`; `absent`: no table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Row = dict[str, str]


class Mode(StrEnum):
    """How a table is in a set."""

    BULK = "bulk"
    DELTA = "delta"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` text, date, moment, year, flag; `choices` of an enumeration; `target` table of a reference."""

    name: str
    needed: bool = False
    kind: str = "text"
    choices: tuple[str, ...] = ()
    target: str = ""
    several: bool = False


def _columns(*own: Column) -> tuple[Column, ...]:
    lead = (
        Column("sourcedId", True),
        Column("status", choices=("active", "tobedeleted")),
        Column("dateLastModified", kind="moment"),
    )
    return (*lead, *own)


_SESSIONS = ("gradingPeriod", "semester", "schoolYear", "term")
_ORGS = ("department", "school", "district", "local", "state", "national")
_ENROLLED = ("administrator", "proctor", "student", "teacher")
_ROLES = (
    "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor", "relative",
    "siteAdministrator", "student", "systemAdministrator", "teacher",
)  # fmt: skip

TABLES: Mapping[str, tuple[Column, ...]] = {
    "academicSessions": _columns(
        Column("title", True),
        Column("type", True, choices=_SESSIONS),
        Column("startDate", True, "date"),
        Column("endDate", True, "date"),
        Column("parentSourcedId", target="academicSessions"),
        Column("schoolYear", True, "year"),
    ),
    "classes": _columns(
        Column("title", True),
        Column("grades", several=True),
        Column("courseSourcedId", True, target="courses"),
        Column("classCode"),
        Column("classType", True, choices=("homeroom", "scheduled")),
        Column("location"),
        Column("schoolSourcedId", True, target="orgs"),
        Column("termSourcedIds", True, target="academicSessions", several=True),
        Column("subjects", several=True),
        Column("subjectCodes", several=True),
        Column("periods", several=True),
    ),
    "courses": _columns(
        Column("schoolYearSourcedId", target="academicSessions"),
        Column("title", True),
        Column("courseCode"),
        Column("grades", several=True),
        Column("orgSourcedId", True, target="orgs"),
        Column("subjects", several=True),
        Column("subjectCodes", several=True),
    ),
    "enrollments": _columns(
        Column("classSourcedId", True, target="classes"),
        Column("schoolSourcedId", True, target="orgs"),
        Column("userSourcedId", True, target="users"),
        Column("role", True, choices=_ENROLLED),
        Column("primary", kind="flag"),
        Column("beginDate", kind="date"),
        Column("endDate", kind="date"),
    ),
    "orgs": _columns(
        Column("name", True),
        Column("type", True, choices=_ORGS),
        Column("identifier"),
        Column("parentSourcedId", target="orgs"),
    ),
    "roles": _columns(
        Column("userSourcedId", True, target="users"),
        Column("roleType", True, choices=("primary", "secondary")),
        Column("role", True, choices=_ROLES),
        Column("beginDate", kind="date"),
        Column("endDate", kind="date"),
        Column("orgSourcedId", True, target="orgs"),
        Column("userProfileSourcedId"),
    ),
    "users": _columns(
        Column("enabledUser", True, "flag"),
        Column("username", True),
        Column("userIds", several=True),
        Column("givenName", True),
        Column("familyName", True),
        Column("middleName"),
        Column("identifier"),
        Column("email"),
        Column("sms"),
        Column("phone"),
        Column("agentSourcedIds", target="users", several=True),
        Column("grades", several=True),
        Column("password"),
        Column("userMasterIdentifier"),
        Column("resourceSourcedIds", several=True),
        Column("preferredGivenName"),
        Column("preferredMiddleName"),
        Column("preferredFamilyName"),
        Column("primaryOrgSourcedId", target="orgs"),
        Column("pronouns"),
    ),
}
OTHERS = (  # tables of the standard that are not exchanged here
    "categories", "classResources", "courseResources", "demographics", "lineItemLearningObjectiveIds", "lineItems",
    "lineItemScoreScales", "resources", "resultLearningObjectiveIds", "results", "resultScoreScales", "scoreScales",
    "userProfiles", "userResources",
)  # fmt: skip
MANIFEST = "manifest.csv"
MANIFEST_VERSION, VERSION = "1.0", "1.2"


@dataclass(frozen=True, slots=True)
class RosterSet:
    """One set: table → mode, and table → rows with their line in the file (2 is the first below the heads)."""

    modes: Mapping[str, Mode]
    rows: Mapping[str, list[Row]] = field(default_factory=dict)
    lines: Mapping[str, list[int]] = field(default_factory=dict)
    system: str = ""

    def of(self, table: str) -> list[tuple[int, Row]]:
        """The rows of a table with their lines."""
        found = self.rows.get(table, [])
        lines = self.lines.get(table) or range(2, len(found) + 2)
        return list(zip(lines, found, strict=True))


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """One thing wrong: file, 1-based line (0: the whole file), sentence, what to do."""

    file: str
    line: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file} 第 {self.line} 行" if self.line else self.file
        return f"{place}：{self.message}" + (f"。{self.remedy}" if self.remedy else "")


class RosterError(Exception):
    """A set that cannot be taken; `problems` lists everything that is wrong."""

    def __init__(self, problems: list[RosterProblem]) -> None:
        super().__init__("\n".join(str(one) for one in problems))
        self.problems = problems


_COMPOUND = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "夏侯",
        "长孙",
        "司徒",
        "宇文",
        "端木",
        "百里",
        "呼延",
        "轩辕",
    ]
)
NO_GIVEN = "-"


def parted(name: str) -> tuple[str, str]:
    """(family, given) of a name; one of one character has no given name, which the standard asks for: it is a hyphen."""
    text = name.strip()
    size = 2 if text[:2] in _COMPOUND and len(text) > 2 else 1
    return text[:size], text[size:] or NO_GIVEN


def joined(family: str, given: str) -> str:
    """The name of its parts, the inverse of `parted`."""
    return family if given == NO_GIVEN else family + given
