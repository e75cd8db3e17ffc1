"""Remarks at cells that an approver has typed and not sent: a draft of his own, dropped when the filing moves on.

Every move of a filing goes through `chain.settle`, which drops the drafts; both hold the filing's row, so that no draft
outlives a move.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.models import Filing, RemarkDraft
from jiaoheng.bureau.ledgers.rounds.chain import RIGHT_OF, locked, require
from jiaoheng.bureau.ledgers.rounds.filing_rows import places_of
from jiaoheng.bureau.ledgers.rounds.returning import level_of

LONGEST = 500


@audit.action
def do_keep_remarks(
    filing: Filing, cells: Mapping[str, str], *, acting_user: Account, version: int | None = None
) -> dict[str, str]:
    """Keep remarks until the filing is returned: cell (`record:field`) → text, an empty text takes one away.

    Returns all of the acting person's remarks on the filing. RefusedError `remark-place` for a cell that is not there,
    ConflictError where the filing moved on, ForbiddenError for one who does not decide now.
    """
    held = locked(filing.pk, version)
    require(acting_user, held, RIGHT_OF[level_of(held)])
    draft = RemarkDraft.objects.filter(filing=held, account=acting_user).first()
    kept = dict(draft.cells) if draft is not None else {}
    texts = {key: text.strip()[:LONGEST] for key, text in cells.items()}
    added = {key: text for key, text in texts.items() if text and kept.get(key) != text}
    if set(added) - set(places_of(held, added)):
        raise RefusedError("remark-place", "批注的格子不在这份台账里，请刷新后再批注")
    kept = {key: text for key, text in {**kept, **texts}.items() if text}
    now = clock.now()
    if kept:
        RemarkDraft.objects.update_or_create(
            filing=held, account=acting_user, defaults={"cells": kept, "saved_at": now}
        )
    elif draft is not None:
        draft.delete()
    about = ("filing", held.pk, f"{name_of(held.unit, held.round.reference_date)} {held.round.title}")
    audit.note("filing.remark", actor=acting_user, about=about, unit_id=held.unit_id, count=len(kept))
    return kept


def remarks_kept(filing: Filing, account: Account) -> tuple[dict[str, str], dt.datetime | None]:
    """The account's own remarks on a filing that are not sent, by cell, and when the last was written."""
    draft = RemarkDraft.objects.filter(filing=filing, account=account).first()
    return (dict(draft.cells), draft.saved_at) if draft is not None else ({}, None)
