"""Downloads of a list: at once where they are short, by the worker where they would keep a person waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jiaoheng.bureau.core import audit, jobs
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment, Job
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.exports import do_export
from jiaoheng.bureau.ledgers.list_exports import from_list, from_ticked
from jiaoheng.bureau.ledgers.listing import count
from jiaoheng.bureau.ledgers.listing_query import ListQuery, from_parameters
from jiaoheng.bureau.ledgers.models import RegisterRow

EXPORT = "export-list"
AT_ONCE = 20_000  # rows: about a second


def do_export_list(
    register: RegisterRow,
    query: ListQuery,
    ids: Sequence[int] = (),
    *,
    form: str = "xlsx",
    purpose: str = "",
    acting_user: Account,
) -> Attachment | Job:
    """What a list shows, or its ticked rows: the file, or the job that makes it where there are many rows.

    Raises as `exports.do_export`.
    """
    if (len(ids) or count(acting_user, register.name, query)) > AT_ONCE:
        return do_queue_export(register, query, ids, form=form, purpose=purpose, acting_user=acting_user)
    ticked = from_ticked(acting_user, register, query, ids).chosen if ids else None
    chosen = ticked or from_list(acting_user, register, query)
    return do_export(register, chosen, form=form, purpose=purpose, acting_user=acting_user)


@audit.action
def do_queue_export(
    register: RegisterRow,
    query: ListQuery,
    ids: Sequence[int] = (),
    *,
    form: str = "xlsx",
    purpose: str = "",
    acting_user: Account,
) -> Job:
    """Let the worker make the file; its end stands in the starter's 待办. ForbiddenError without the right to full numbers."""
    if purpose.strip() and not scope_of(acting_user, Can.EXPORT_FULL):
        raise ForbiddenError("您可以导出脱敏的表，导出完整号码是县局股室的权限")
    title = f"导出 {register.title}"
    arguments = {
        "register": register.name,
        "query": [list(pair) for pair in query.as_pairs()],
        "ids": list(ids),
        "form": form,
        "purpose": purpose,
    }
    job = jobs.enqueue(EXPORT, title, arguments, owner=acting_user, unit=acting_user.home)
    unit_id = acting_user.home.pk if acting_user.home is not None else None
    audit.note("export.queue", actor=acting_user, about=("register", register.pk, register.title), unit_id=unit_id)
    return job


@jobs.kind(EXPORT)
def export_in_worker(run: jobs.Run) -> dict[str, Any]:
    """The job: the rows as they stand now and as the starter may read them now."""
    if run.owner is None:
        return {}
    pairs: dict[str, list[str]] = {}
    for name, value in run.arguments["query"]:
        pairs.setdefault(name, []).append(value)
    register, query = access_register(run.owner, run.arguments["register"]), from_parameters(pairs)
    ids = run.arguments["ids"]
    chosen = from_ticked(run.owner, register, query, ids).chosen if ids else from_list(run.owner, register, query)
    run.progress(0, len(chosen.rows))
    more = {"form": run.arguments["form"], "purpose": run.arguments["purpose"]}
    kept = do_export(register, chosen, **more, run=run, acting_user=run.owner)
    return {"link": f"/files/{kept.pk}"}
