"""Who approves a filing, lowest step first, and which approvals stand for its present content."""

from __future__ import annotations

from collections.abc import Sequence

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.deputies import acting_for
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.access import whose_right
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, RemarkDraft, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.words import step_words

STATE_OF = {"district": Filing.State.DISTRICT, "county": Filing.State.COUNTY}
LEVEL_OF = {Filing.State.DISTRICT: "district", Filing.State.COUNTY: "county"}
RIGHT_OF = {"district": Can.APPROVE_DISTRICT, "county": Can.APPROVE_COUNTY}
_COUNTY_ROLES = frozenset({"department", "county", "admin", "leader"})


def chain_of(filing: Filing, approvers: Sequence[str]) -> tuple[str, ...]:
    """Levels that approve a filing: district where the unit stands under one (县直 skips it), then county."""
    levels = []
    if "district" in approvers and filing.district_id is not None and filing.district_id != filing.unit_id:
        levels.append("district")
    if _COUNTY_ROLES & set(approvers):
        levels.append("county")
    return tuple(levels)


def approvers_of(round_: Round) -> tuple[str, ...]:
    """The roles that the register's schema of the reference date names."""
    return schema_of(round_.register, round_.reference_date).fill.approvers


def state_after(chain: Sequence[str], level: str | None) -> str:
    """The state once `level` (None: the unit itself) has done its part."""
    later = chain[chain.index(level) + 1 :] if level in chain else chain
    return str(STATE_OF[later[0]]) if later else str(Filing.State.APPROVED)


def standing(filing: Filing) -> list[FilingStep]:
    """The steps that count for the present content: not withdrawn, oldest first."""
    steps = filing.steps.filter(content=filing.content, withdrawn_at__isnull=True)
    return list(steps.order_by("at", "pk"))


def locked(filing_id: int, version: int | None) -> Filing:
    """The filing's row, held until the end of the transaction; ConflictError names who decided since `version` (P17)."""
    found = (
        Filing.objects.select_for_update(of=("self",))
        .select_related("round", "round__register", "round__period", "round__created_by", "unit")
        .get(pk=filing_id)
    )
    if version is not None and found.version != version:
        raise moved(found)
    return found


def moved(filing: Filing) -> ConflictError:
    """The conflict of a filing that somebody else has decided: the winner and the time."""
    last = filing.steps.order_by("-at", "-pk").first()
    said = step_words(last) if last is not None else "这份台账已有变动"
    return ConflictError(
        "filing-moved",
        f"{said}，现在是“{Filing.State(filing.state).label}”。您的操作没有生效，请看过后再定",
        version=filing.version,
        state=filing.state,
    )


def settle(filing: Filing, *changed: str) -> None:
    """Store a new state; every change of state has a number of its own, and remarks not sent before it are dropped."""
    filing.version += 1
    filing.save(update_fields=["state", "version", *changed])
    RemarkDraft.objects.filter(filing=filing).delete()


def require(account: Account | None, filing: Filing, can: Can) -> None:
    """ForbiddenError where an account has not this right over a filing. None is the system."""
    if account is not None and not scope_of(account, can).covers(filing, filing.round.register.name):
        raise ForbiddenError(whose_right(account, can))


def signed(by: Account, filing: Filing) -> str:
    """张三, or 张三（代李四） where he stands in for somebody."""
    stood_for = acting_for(by, filing.unit_id)
    return f"{by.name}（代{stood_for.name}）" if stood_for is not None else str(by.name)


def add_step(filing: Filing, kind: FilingStep.Kind, level: str, by: Account, reason: str = "") -> FilingStep:
    """One line of the filing's life, as of now."""
    made: FilingStep = FilingStep.objects.create(
        filing=filing,
        kind=kind,
        level=level,
        content=filing.content,
        by=by,
        by_name=signed(by, filing),
        at=clock.now(),
        reason=reason[:500],
    )
    return made
