"""The one table of rights: a role gives capabilities, a membership gives the subtree they hold for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Can(StrEnum):
    """What a person may do with what lies in the subtree of one of his memberships."""

    READ = "read"  # open units, records, figures
    FILL = "fill"  # write records and submit them
    APPROVE_DISTRICT = "approve_district"  # first look at what schools submitted
    APPROVE_COUNTY = "approve_county"  # the last word
    ROUNDS = "rounds"  # open collection rounds, extend, remind, merge
    REGISTERS = "registers"  # make and change registers
    UNITS = "units"  # merge, split, close, move, rename
    ACCOUNTS = "accounts"  # make, close, unlock accounts and memberships
    UNMASK = "unmask"  # see one protected value, with a purpose
    EXPORT_FULL = "export_full"  # exports with full numbers, with a purpose
    AUDIT = "audit"  # read who changed, looked, exported


@dataclass(frozen=True, slots=True)
class Role:
    """A role; `reach` tells whether rights hold at the membership's unit (own) or at its parent (a 股室 sees the county).

    `narrow` roles see records of their unit only through `registers`: a teacher does not read the whole school's rosters.
    """

    key: str
    title: str
    can: frozenset[Can]
    reach: str = "own"
    says: str = ""  # one line for the demo's sign-in page and the guide
    registers: tuple[str, ...] = ()  # where not empty, READ and FILL hold for these registers only
    second_factor: bool = False  # sees the county: a password alone does not open it
    password: int = 8  # the shortest password


_COUNTY = ("leader", "department", "research", "inspector", "admin")  # see every school
ADMIN_PASSWORD = 10


def _role(key: str, title: str, *can: Can, reach: str = "own", says: str = "", registers: tuple[str, ...] = ()) -> Role:
    shortest = ADMIN_PASSWORD if key == "admin" else 8
    return Role(key, title, frozenset(can), reach, says, registers, key in _COUNTY, shortest)


_OFFICE = (Can.READ, Can.ROUNDS, Can.REGISTERS, Can.APPROVE_COUNTY, Can.UNMASK, Can.EXPORT_FULL, Can.AUDIT)

ROLES: dict[str, Role] = {
    role.key: role
    for role in (
        _role("leader", "局领导", Can.READ, Can.AUDIT, says="全县台账、进度和历史，一处看全"),
        _role("department", "股室", *_OFFICE, Can.FILL, reach="parent", says="发起采集，核对台账，审定数据"),
        _role("research", "教研员", Can.READ, reach="parent", says="考试与增值评价，题目诊断，薄弱校跟踪"),
        _role("inspector", "督学", Can.READ, reach="parent", says="看各校台账和历史，入校前心中有数"),
        _role(
            "district",
            "学区",
            Can.READ,
            Can.FILL,
            Can.APPROVE_DISTRICT,
            Can.ACCOUNTS,
            Can.AUDIT,
            says="审核本学区各校的台账",
        ),
        _role("township", "乡镇", Can.READ, says="看本乡镇学校的情况"),
        _role(
            "principal", "校长", Can.READ, Can.FILL, Can.UNMASK, Can.AUDIT, Can.ACCOUNTS, says="本校一册、台账和历史"
        ),
        _role("clerk", "学校填报员", Can.READ, Can.FILL, Can.ACCOUNTS, says="本校要交的台账，退回的格子"),
        _role("class_teacher", "班主任", Can.READ, Can.FILL, says="本班学生、班主任手册"),
        _role("teacher", "教师", Can.READ, says="本校公开台账、活动与获奖", registers=("activities", "documents")),
        _role(
            "admin",
            "管理员",
            Can.READ,
            Can.ACCOUNTS,
            Can.UNITS,
            Can.REGISTERS,
            Can.ROUNDS,
            Can.AUDIT,
            says="账号、单位、口径和操作记录",
        ),
    )
}


def roles_that(can: Can) -> list[str]:
    """Keys of the roles that give a capability."""
    return [key for key, role in ROLES.items() if can in role.can]
