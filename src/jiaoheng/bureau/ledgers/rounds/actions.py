"""Every write of rounds in one place to import from."""

from __future__ import annotations

from jiaoheng.bureau.ledgers.rounds.approving import (
    do_approve_filing,
    do_approve_filings,
    do_approve_unit,
    do_open_filing,
    do_withdraw_approval,
)
from jiaoheng.bureau.ledgers.rounds.extending import do_extend
from jiaoheng.bureau.ledgers.rounds.merging import do_merge
from jiaoheng.bureau.ledgers.rounds.opening import do_close_round, do_move_deadline, do_open_round, do_reopen
from jiaoheng.bureau.ledgers.rounds.remarking import do_keep_remarks
from jiaoheng.bureau.ledgers.rounds.reminding import do_remind
from jiaoheng.bureau.ledgers.rounds.repeating import do_open_next, do_set_repeat
from jiaoheng.bureau.ledgers.rounds.returning import CellRemark, do_return_filing, do_return_filings
from jiaoheng.bureau.ledgers.rounds.submitting import do_recall_filing, do_submit_filing

__all__ = [
    "CellRemark",
    "do_approve_filing",
    "do_approve_filings",
    "do_approve_unit",
    "do_close_round",
    "do_extend",
    "do_keep_remarks",
    "do_merge",
    "do_move_deadline",
    "do_open_filing",
    "do_open_next",
    "do_open_round",
    "do_recall_filing",
    "do_remind",
    "do_reopen",
    "do_return_filing",
    "do_return_filings",
    "do_set_repeat",
    "do_submit_filing",
    "do_withdraw_approval",
]
