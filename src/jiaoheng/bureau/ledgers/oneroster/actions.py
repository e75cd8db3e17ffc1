"""Giving a set, and taking one: all of it or nothing, each change in its record's history."""

from __future__ import annotations

from pathlib import Path

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account, Period
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.oneroster.making import roster_set
from jiaoheng.bureau.ledgers.oneroster.planning import Plan, plan_of
from jiaoheng.bureau.ledgers.oneroster.sources import sources_of
from jiaoheng.registers.oneroster.checking import check_roster
from jiaoheng.registers.oneroster.model import RosterError, RosterSet
from jiaoheng.registers.oneroster.reading import read_roster
from jiaoheng.registers.oneroster.writing import write_roster


def export_roster(target: Path, term: Period, *, acting_user: Account) -> RosterSet:
    """Write the set of a person's reading scope in a term; it is checked before it is written, and noted.

    RosterError where the registers hold what no set may say; RefusedError `roster-term`, `roster-register`.
    """
    made = roster_set(sources_of(acting_user, term))
    problems = check_roster(made)
    if problems:
        raise RosterError(problems)
    write_roster(target, made)
    audit.note(
        "export",
        actor=acting_user,
        about=("roster", term.pk, f"OneRoster 名册 {term.name}"),
        unit_id=acting_user.home_id,
        count=len(made.rows["users"]),
        reason=f"人员 {len(made.rows['users'])}，就读 {len(made.rows['enrollments'])}",
    )
    return made


def preview_roster(path: Path, term: Period, *, acting_user: Account) -> Plan:
    """What an archive would change. RosterError with every problem by file and line."""
    return plan_of(read_roster(path), sources_of(acting_user, term))


@audit.action
def do_import_roster(path: Path, term: Period, *, acting_user: Account) -> Plan:
    """Take an archive: names, moves between classes of a school, enrolments that end. Nobody is removed.

    RosterError, RefusedError `roster-same` where there is nothing to change, ForbiddenError and those of the records.
    """
    plan = preview_roster(path, term, acting_user=acting_user)
    if not plan.edits:
        raise RefusedError("roster-same", "名册与台账相同，没有要改的")
    for one in plan.edits:
        record, version = access_record(acting_user, one.person.record_id)
        do_save_record(
            record.register,
            record.unit,
            record.period,
            dict(one.values),
            record_id=record.pk,
            base=version.number,
            reason=one.why,
            source="file",
            acting_user=acting_user,
        )
    audit.note(
        "roster.import",
        actor=acting_user,
        about=("roster", term.pk, f"OneRoster 名册 {term.name}"),
        unit_id=acting_user.home_id,
        count=len(plan.edits),
    )
    return plan
