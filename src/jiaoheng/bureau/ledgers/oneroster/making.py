"""A set of OneRoster tables from the sources. Ids are made from what never changes: codes of units, ids of records."""

from __future__ import annotations

from collections.abc import Iterator

from jiaoheng.bureau.core.models import Period
from jiaoheng.bureau.ledgers.oneroster.sources import Org, Person, Sources
from jiaoheng.registers.oneroster.model import TABLES, Mode, RosterSet, Row, parted

_TYPES = {"county": "local", "district": "district", "school": "school"}


def roster_set(sources: Sources) -> RosterSet:
    """All tables as bulk. Only pupils of a class that is in the set are enrolled; everybody in it has a school in it."""
    made = _Maker(sources)
    rows = {
        "academicSessions": made.sessions(),
        "orgs": [_org(one) for one in sources.orgs.values()],
        "courses": list(made.courses()),
        "classes": list(made.classes()),
        "users": list(made.users()),
        "roles": list(made.roles()),
        "enrollments": list(made.enrollments()),
    }
    return RosterSet(dict.fromkeys(TABLES, Mode.BULK), rows)


def org_id(code: str) -> str:
    """Of a unit."""
    return f"org-{code}"


def session_id(period: Period) -> str:
    """Of a term or year."""
    return f"session-{period.code}"


def class_id(one: Person) -> str:
    """Of a class in its term."""
    return f"class-{one.record_id}"


def pupil_id(one: Person) -> str:
    """Of a pupil."""
    return f"pupil-{one.record_id}"


def teacher_id(one: Person) -> str:
    """Of a teacher."""
    return f"teacher-{one.record_id}"


def enrollment_id(class_: str, user: str) -> str:
    """Of one person in one class."""
    return f"{class_}-{user}"


def _org(one: Org) -> Row:
    return {
        "sourcedId": org_id(one.code),
        "name": one.name,
        "type": _TYPES[one.level],
        "identifier": one.code,
        "parentSourcedId": org_id(one.parent) if one.parent else "",
    }


class _Maker:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        # a pupil or teacher of a school outside the set would point at nothing
        self.pupils = [one for one in sources.pupils if one.unit_id in sources.orgs]
        self.teachers = {key: one for key, one in sources.teachers.items() if one.unit_id in sources.orgs}
        self.inside = {key: one for key, one in sources.classes.items() if one.unit_id in sources.orgs}

    def sessions(self) -> list[Row]:
        return [
            self._session(self.sources.year, "schoolYear", ""),
            self._session(self.sources.term, "term", session_id(self.sources.year)),
        ]

    def _session(self, one: Period, kind: str, parent: str) -> Row:
        return {
            "sourcedId": session_id(one),
            "title": one.name,
            "type": kind,
            "startDate": one.starts_on.isoformat(),
            "endDate": one.ends_on.isoformat(),  # the standard's end is the first day outside, as ours
            "parentSourcedId": parent,
            "schoolYear": str(self.sources.year.ends_on.year),
        }

    def courses(self) -> Iterator[Row]:
        """One course a grade and school: classes here are whole classes of children, not lessons of a subject."""
        for unit_id, grade in sorted({(one.unit_id, str(one.data.get("grade", ""))) for one in self.inside.values()}):
            org = self.sources.orgs[unit_id]
            yield {
                "sourcedId": self._course(unit_id, grade),
                "schoolYearSourcedId": session_id(self.sources.year),
                "title": self.sources.grades.get(grade, grade) or "班级",
                "grades": grade,
                "orgSourcedId": org_id(org.code),
            }

    def _course(self, unit_id: int, grade: str) -> str:
        return f"course-{self.sources.orgs[unit_id].code}-{grade or '0'}"

    def classes(self) -> Iterator[Row]:
        for one in self.inside.values():
            grade = str(one.data.get("grade", ""))
            yield {
                "sourcedId": class_id(one),
                "title": str(one.data.get("class_name", "")),
                "grades": grade,
                "courseSourcedId": self._course(one.unit_id, grade),
                "classCode": str(one.data.get("class_code", "")),
                "classType": "homeroom",
                "location": str(one.data.get("room", "")),
                "schoolSourcedId": org_id(self.sources.orgs[one.unit_id].code),
                "termSourcedIds": session_id(self.sources.term),
            }

    def _people(self) -> Iterator[tuple[str, Person, str]]:
        for pupil in self.pupils:
            yield pupil_id(pupil), pupil, "student"
        for teacher in self.teachers.values():
            yield teacher_id(teacher), teacher, "teacher"

    def users(self) -> Iterator[Row]:
        """Names only: numbers, phones and addresses stay at home."""
        for key, one, role in self._people():
            family, given = parted(str(one.data.get("name", "")))
            yield {
                "sourcedId": key,
                "enabledUser": "true",
                "username": key,
                "givenName": given,
                "familyName": family,
                "grades": str(one.data.get("grade", "")) if role == "student" else "",
                "primaryOrgSourcedId": org_id(self.sources.orgs[one.unit_id].code),
            }

    def roles(self) -> Iterator[Row]:
        for key, one, role in self._people():
            yield {
                "sourcedId": f"role-{key}",
                "userSourcedId": key,
                "roleType": "primary",
                "role": role,
                "orgSourcedId": org_id(self.sources.orgs[one.unit_id].code),
            }

    def enrollments(self) -> Iterator[Row]:
        for pupil in self.pupils:
            found = self.inside.get((pupil.unit_id, str(pupil.data.get("class_code", ""))))
            if found is not None:
                yield self._enrolled(found, pupil_id(pupil), "student")
        for (unit_id, _code), one in self.inside.items():
            teacher = self.teachers.get((unit_id, str(one.data.get("head_teacher_number", ""))))
            if teacher is not None:
                yield self._enrolled(one, teacher_id(teacher), "teacher")

    def _enrolled(self, one: Person, user: str, role: str) -> Row:
        return {
            "sourcedId": enrollment_id(class_id(one), user),
            "classSourcedId": class_id(one),
            "schoolSourcedId": org_id(self.sources.orgs[one.unit_id].code),
            "userSourcedId": user,
            "role": role,
            "primary": "true" if role == "teacher" else "false",
        }
