"""What a set that was sent would change: by table new, changed, same, missing; what is taken, what is not, what is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.oneroster.making import class_id, pupil_id, roster_set, teacher_id
from jiaoheng.bureau.ledgers.oneroster.sources import Person, Sources
from jiaoheng.registers.oneroster.checking import check_roster
from jiaoheng.registers.oneroster.model import TABLES, Mode, RosterError, RosterProblem, RosterSet, Row, joined

_NOT_TAKEN = {
    "academicSessions": "学期",
    "orgs": "单位",
    "courses": "课程",
    "classes": "班级",
    "roles": "角色",
}
_TITLES = {**_NOT_TAKEN, "users": "人员", "enrollments": "就读"}
LEFT = "03"  # 转出


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of one record of pupils or teachers, made on a version, and why."""

    register: str
    person: Person
    values: Mapping[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How a table that was sent stands against ours."""

    table: str
    title: str
    new: int
    changed: int
    same: int
    ended: int
    missing: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The preview of an import. `questions`: who is missing; nothing is done about them. `notes`: what is not taken."""

    tallies: tuple[Tally, ...]
    edits: tuple[Edit, ...]
    questions: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def words(self) -> str:
        """What would be written."""
        return f"要改 {len(self.edits)} 条" if self.edits else "没有要改的"


def plan_of(sent: RosterSet, sources: Sources) -> Plan:
    """Raises RosterError with every problem: of the standard, and of people who are not there."""
    ours = roster_set(sources)
    known = {name: frozenset(row["sourcedId"] for row in rows) for name, rows in ours.rows.items()}
    problems = check_roster(sent, known)
    planner = _Planner(sent, ours, sources)
    problems += planner.problems()
    if problems:
        order = list(TABLES)
        problems.sort(key=lambda one: (order.index(one.file.removesuffix(".csv")), one.line))
        raise RosterError(problems)
    return planner.plan()


class _Planner:
    def __init__(self, sent: RosterSet, ours: RosterSet, sources: Sources) -> None:
        self.sent, self.sources = sent, sources
        self.ours = {name: {row["sourcedId"]: row for row in rows} for name, rows in ours.rows.items()}
        self.people: dict[str, tuple[str, Person]] = {pupil_id(one): ("pupils", one) for one in sources.pupils}
        self.people |= {teacher_id(one): ("teachers", one) for one in sources.teachers.values()}
        self.by_class = {class_id(one): one for one in sources.classes.values()}

    def problems(self) -> list[RosterProblem]:
        """People, classes and enrolments that only the bureau can judge."""
        found = []
        for line, row in self.sent.of("users"):
            if (
                row.get("sourcedId")
                and row["sourcedId"] not in self.ours["users"]
                and row.get("status") != "tobedeleted"
            ):
                told = f"没有“{row['sourcedId'][:60]}”这个人，名册里没有登记要填的性别、出生日期等项"
                found.append(RosterProblem("users.csv", line, told, "请先在花名册里登记，再交换名册"))
        for line, row in self.sent.of("enrollments"):
            known = row.get("sourcedId", "") in self.ours["enrollments"]
            if row.get("status") == "tobedeleted":
                if not known:
                    told = f"没有“{row.get('sourcedId', '')[:60]}”这条就读，不能结束"
                    found.append(RosterProblem("enrollments.csv", line, told, "请核对 sourcedId"))
                continue
            problem = self._move_problem(row) if not known else ""
            if problem:
                found.append(RosterProblem("enrollments.csv", line, problem, "请按转学、任课的手续办理"))
        return found

    def _move_problem(self, row: Row) -> str:
        person, goes_to = (
            self.people.get(row.get("userSourcedId", "")),
            self.by_class.get(row.get("classSourcedId", "")),
        )
        if person is None or goes_to is None:
            return ""  # told by the references already
        if person[0] != "pupils" or row.get("role") != "student":
            return "任课在班级台账里登记，名册不能改"
        return "学生和班级不在一所学校，名册不能转学" if person[1].unit_id != goes_to.unit_id else ""

    def plan(self) -> Plan:
        edits: dict[str, Edit] = {}
        for row in (row for _line, row in self.sent.of("users")):
            self._rename(row, edits)
        for row in (row for _line, row in self.sent.of("enrollments")):
            self._enrol(row, edits)
        tallies = tuple(
            self._tally(name) for name in TABLES if self.sent.modes.get(name, Mode.ABSENT) is not Mode.ABSENT
        )
        notes = [
            f"{one.title} {one.new + one.changed + one.ended} 处与本系统不同，未作改动"
            for one in tallies
            if one.table in _NOT_TAKEN and one.new + one.changed + one.ended
        ]
        return Plan(tallies, tuple(edits.values()), tuple(self._questions()), tuple(notes))

    def _rename(self, row: Row, edits: dict[str, Edit]) -> None:
        key = row["sourcedId"]
        if row.get("status") == "tobedeleted" or key not in self.people:
            return
        name = joined(row.get("familyName", ""), row.get("givenName", ""))
        register, person = self.people[key]
        if name != person.data.get("name"):
            _put(edits, key, Edit(register, person, {"name": name}, "名册交换：姓名"))

    def _enrol(self, row: Row, edits: dict[str, Edit]) -> None:
        if row.get("status") == "tobedeleted":
            mine = self.ours["enrollments"][row["sourcedId"]]
            register, person = self.people[mine["userSourcedId"]]
            if register == "pupils":
                values = {"status": LEFT, "left_on": self._last_day(row)}
                _put(edits, mine["userSourcedId"], Edit(register, person, values, "名册交换：就读结束"))
            return
        register, person = self.people[row["userSourcedId"]]
        code = str(self.by_class[row["classSourcedId"]].data.get("class_code", ""))
        if row.get("role") == "student" and person.data.get("class_code") != code:
            _put(edits, row["userSourcedId"], Edit(register, person, {"class_code": code}, "名册交换：调班"))

    def _last_day(self, row: Row) -> str:
        """Its endDate, else the day in Beijing on which the row was changed."""
        if row.get("endDate"):
            return row["endDate"]
        moment = dt.datetime.fromisoformat(row["dateLastModified"])
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=clock.BEIJING)
        return clock.local(aware).date().isoformat()

    def _tally(self, name: str) -> Tally:
        mine, rows = self.ours[name], [row for _line, row in self.sent.of(name)]
        keys = {row["sourcedId"] for row in rows}
        ended = sum(row.get("status") == "tobedeleted" for row in rows)
        living = [row for row in rows if row.get("status") != "tobedeleted"]
        known = [row for row in living if row["sourcedId"] in mine]
        same = sum(_same(row, mine[row["sourcedId"]]) for row in known)
        missing = len(set(mine) - keys) if self.sent.modes[name] is Mode.BULK else 0
        return Tally(name, _TITLES[name], len(living) - len(known), len(known) - same, same, ended, missing)

    def _questions(self) -> list[str]:
        """Who of ours a bulk table does not name: asked about, never removed."""
        found = []
        for name, words in (("users", "名册中缺 {} 人"), ("enrollments", "就读中缺 {} 条")):
            if self.sent.modes.get(name) is not Mode.BULK:
                continue
            gone = set(self.ours[name]) - {row["sourcedId"] for _line, row in self.sent.of(name)}
            if gone:
                told = "、".join(sorted(self._name(name, key) for key in gone)[:10])
                found.append(f"{words.format(len(gone))}：{told}。离校了吗？这里没有作改动，离校的请在花名册里办理")
        return found

    def _name(self, table: str, key: str) -> str:
        row = self.ours[table][key]
        user = row if table == "users" else self.ours["users"][row["userSourcedId"]]
        return joined(user["familyName"], user["givenName"])


def _same(row: Row, mine: Row) -> bool:
    """Whether the columns that were sent say what ours say; a blank says nothing."""
    return all(value == mine.get(name, "") for name, value in row.items() if value and name not in _LEAD)


_LEAD = ("status", "dateLastModified")


def _put(edits: dict[str, Edit], key: str, new: Edit) -> None:
    old = edits.get(key)
    if old is None:
        edits[key] = new
    else:
        edits[key] = Edit(
            old.register, old.person, {**old.values, **new.values}, f"{old.why}，{new.why.partition('：')[2]}"
        )
