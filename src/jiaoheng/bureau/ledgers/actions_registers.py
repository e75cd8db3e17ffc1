"""Writing registers: loading packs of schemas and code tables."""

from __future__ import annotations

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.pack_loading import (
    CodePlan,
    PackPlan,
    VersionPlan,
    office_named,
    plan_pack,
    write_codes,
    write_version,
)
from jiaoheng.registers.loading import Pack


def load_pack(pack: Pack, *, acting_user: Account | None, source: str = "") -> PackPlan:
    """Load a pack where it changes something; loading it again writes nothing and leaves no audit entry.

    Raises RefusedError (`pack-refused`) with every reason, and then nothing is stored.
    """
    plan = plan_pack(pack)
    if plan.changed or plan.refused:
        return do_load_pack(pack, acting_user=acting_user, source=source)
    return plan


@audit.action
def do_load_pack(pack: Pack, *, acting_user: Account | None, source: str = "") -> PackPlan:
    """Store the versions and code rows of a pack that the database does not have; returns what was done.

    `source`: where the pack came from, as people call it. Raises RefusedError (`pack-refused`) with every reason.
    """
    plan = plan_pack(pack)
    if plan.refused:
        raise RefusedError("pack-refused", "\n".join(plan.refused))
    write_codes(plan.codes)
    for one in plan.versions:
        _store(one, acting_user, source)
    for name in plan.retitled:
        RegisterRow.objects.filter(name=name).update(title=pack.newest(name).title)
    if plan.codes:
        tables = {one.table for one in plan.codes}
        audit.note(
            "codes.load",
            actor=acting_user,
            about=("codes", "、".join(sorted(tables))[:40], f"{len(tables)} 张代码表"),
            changes=[_code_change(one) for one in plan.codes[:200]],
            count=len(plan.codes),
            reason=source,
        )
    audit.note("pack.load", actor=acting_user, about=("pack", "", source or "台账包"), count=plan.changed)
    return plan


def _store(one: VersionPlan, acting_user: Account | None, source: str) -> None:
    schema = one.schema
    row, made = RegisterRow.objects.get_or_create(
        name=schema.name, defaults={"title": schema.title, "created_at": clock.now()}
    )
    if not made and row.made_by_id is not None:
        raise RefusedError(
            "pack-refused", f"台账名“{schema.name}”已被本局自建的“{row.title}”使用。请在包里改用别的 name，再装入"
        )
    newest = max(row.versions.values_list("number", flat=True), default=0)
    if schema.version >= newest:
        row.title = schema.title
        row.office = office_named(schema.department) or row.office
        row.save(update_fields=["title", "office"])
    write_version(row, schema, source)
    audit.note(
        "register.load",
        actor=acting_user,
        about=("register", row.name, f"{row.title} 第 {schema.version} 版"),
        changes=[
            {"field": change.name or change.old_name, "title": change.title, "old": None, "new": change.sentence}
            for change in one.changes
        ],
        count=len(schema.fields),
        reason=source,
    )


def _code_change(one: CodePlan) -> dict[str, object]:
    ends = f"（{one.ends_on:%Y-%m-%d} 停用）" if one.ends_on else ""
    return {
        "field": one.table,
        "title": f"{one.table_title} {one.code}",
        "old": one.was or None,
        "new": one.label + ends,
    }
