"""Deciding about many filings: which of the chosen ones one may pass or return now, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.chain import LEVEL_OF, RIGHT_OF
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING
from jiaoheng.bureau.ledgers.rounds.words import LEVELS, measure_of, stamp

WHAT = {"approve": "通过", "return": "退回"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One chosen filing; `why` says why it stays out, "" where it goes along."""

    filing_id: int
    version: int
    unit: str
    state: str
    submitted: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What will happen to how many."""

    what: str
    word: str
    ready: Sequence[Chosen]
    left: Sequence[Chosen]
    measure: str  # 所

    @property
    def words(self) -> str:
        """通过 12 所；另有 2 所这次不动."""
        told = f"{self.word} {len(self.ready)} {self.measure}" if self.ready else f"选中的台账现在都不能{self.word}"
        return told + (f"；另有 {len(self.left)} {self.measure}这次不动" if self.ready and self.left else "") + "。"


def filings_in(round_: Round, account: Account, ids: Sequence[int]) -> list[Filing]:
    """The filings of a round with these ids. NotFoundError where one of them is not there or may not be read."""
    within = scope_of(account, Can.READ).rows(round_.register.name)
    rows = Filing.objects.filter(within, round=round_, pk__in=ids)
    found = list(rows.select_related("round", "round__register", "unit").order_by("pk"))
    if len(found) < len(set(ids)):
        raise NotFoundError
    return found


def decision_of(round_: Round, account: Account, seen: Mapping[int, int | None], what: str) -> Decision:
    """Part the chosen filings. `what`: approve or return; anything else is missing. Raises NotFoundError.

    seen: filing id → version that the board showed (None: not known); one that moved on since stays out.
    """
    if what not in WHAT:
        raise NotFoundError
    filings = filings_in(round_, account, list(seen))
    names = names_at([one.unit_id for one in filings], round_.reference_date)
    levels = {level: scope_of(account, right) for level, right in RIGHT_OF.items()}
    made = [
        Chosen(
            one.pk,
            one.version,
            names.get(one.unit_id, ""),
            str(Filing.State(one.state).label),
            stamp(one.submitted_at) if one.submitted_at else "",
            _why_not(one, what, levels, round_.register.name) or _moved(one, seen),
        )
        for one in filings
    ]
    measure = measure_of(schema_of(round_.register, round_.reference_date).level)
    return Decision(what, WHAT[what], [one for one in made if not one.why], [one for one in made if one.why], measure)


def _moved(filing: Filing, seen: Mapping[int, int | None]) -> str:
    version = seen.get(filing.pk)
    return "" if version in (None, filing.version) else "在您打开页面后又改过，请看过再定"


def _why_not(filing: Filing, what: str, levels: Mapping[str, Scope], register: str) -> str:
    if filing.state in OWING:
        return "还没有提交" if filing.state != Filing.State.RETURNED else "已退回，等学校改正"
    level = LEVEL_OF.get(Filing.State(filing.state))
    if level is None:
        last = levels["county"].covers(filing, register)
        return "" if what == "return" and last else "已审定" if what == "approve" else "已审定，由局退回"
    if levels[level].covers(filing, register):
        return ""
    return f"待{LEVELS[level]}{'审定' if level == 'county' else '审核'}，不由您定"
