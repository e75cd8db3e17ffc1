"""Rounds of the county: opened by the office, each filing led step by step to where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.demo.rows import Ground
from jiaoheng.bureau.ledgers.changes import key_of
from jiaoheng.bureau.ledgers.models import CellComment, Draft, Filing, FilingStep, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.actions import do_close_round, do_extend, do_open_round, do_remind
from jiaoheng.bureau.ledgers.rounds.chain import approvers_of, chain_of, state_after
from jiaoheng.bureau.ledgers.rounds.telling import tell_unit
from jiaoheng.bureau.ledgers.rounds.touching import touch_many
from jiaoheng.bureau.ledgers.rounds.words import LEVELS, due_words
from jiaoheng.registers.county import DraftSeed, FilingSeed, RoundSeed, StepSeed
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Register

_CHANGED = (
    "state",
    "content",
    "touched_at",
    "version",
    "submitted_at",
    "submitted_by",
    "approved_content",
    "approved_as_of",
    "returned_due_at",
)


@dataclass
class RoundLife:
    """One round while it is replayed: its row, its filings by unit code, and whom it concerns."""

    seed: RoundSeed
    ground: Ground
    accounts: Mapping[str, Account]
    opened: Round | None = None
    schema: Register | None = None
    approvers: tuple[str, ...] = ()
    filings: dict[str, Filing] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    @property
    def row(self) -> Round:
        """The round itself, once it is open."""
        if self.opened is None:
            raise LookupError(f"round {self.seed.key} is not open yet")
        return self.opened

    @property
    def office(self) -> Account:
        """Who opened it."""
        return self.accounts[self.seed.opened_by]

    def open(self) -> None:
        """Open the round through its own action."""
        seed = self.seed
        self.opened = do_open_round(
            self.ground.register(seed.register),
            self.ground.period(seed.period),
            seed.title,
            next(iter(self.ground.units.values())),
            (),
            seed.reference_date,
            seed.opens_at,
            seed.due_at,
            acting_user=self.office,
            office=self.ground.units[seed.office],
            note=seed.note,
        )
        rows = Filing.objects.filter(round=self.row).select_related("round", "round__register", "unit")
        self.filings = {one.unit.code: one for one in rows}
        self.names = names_at([one.unit_id for one in self.filings.values()], seed.reference_date)
        self.schema = schema_of(self.row.register, seed.reference_date)
        self.approvers = approvers_of(self.row)

    def close(self) -> None:
        """End the round."""
        do_close_round(self.row, acting_user=self.office)

    def take(self, steps: Sequence[tuple[FilingSeed, StepSeed]]) -> None:
        """Lead filings on."""
        do_take_steps(self, steps, acting_user=None)

    def extend(self, seed: FilingSeed) -> None:
        """Give one unit more time."""
        if seed.extended_to is not None:
            do_extend(self.filings[seed.unit], seed.extended_to, seed.extension_reason, acting_user=self.office)

    def remind(self, seeds: list[FilingSeed]) -> None:
        """One press of 催办."""
        do_remind(self.row, [self.filings[one.unit] for one in seeds], acting_user=self.office)


@audit.action
def do_take_steps(
    life: RoundLife, steps: Sequence[tuple[FilingSeed, StepSeed]], *, acting_user: Account | None
) -> None:
    """Steps of a round's filings, each at its own time, as the actions of rounds write them; all was checked before.

    acting_user: None, for each step names its own.
    """
    made: list[FilingStep] = []
    touched: dict[int, Filing] = {}
    for seed, step in steps:
        held, by = life.filings[seed.unit], life.accounts[step.by]
        _advance(life, held, seed, step, by)
        made.append(_step_row(held, step, by))
        touched[held.pk] = held
        _note(life, held, step, by)
    FilingStep.objects.bulk_create(made, batch_size=100)
    Filing.objects.bulk_update(touched.values(), _CHANGED, batch_size=100)
    for row, (seed, _step) in zip(made, steps, strict=True):
        if row.kind == FilingStep.Kind.RETURN:
            _comment(life, row.filing, seed)
        if life.seed.closed_at is None:
            _tell(row.filing, row, seed, row.by)


def _advance(life: RoundLife, held: Filing, seed: FilingSeed, step: StepSeed, by: Account) -> None:
    chain = chain_of(held, life.approvers)
    held.touched_at = step.at
    held.version += 1
    if step.kind == FilingStep.Kind.SUBMIT:
        held.content += 1
        held.submitted_at, held.submitted_by = step.at, by
        held.state = state_after(chain, None)
    elif step.kind == FilingStep.Kind.APPROVE:
        held.state = state_after(chain, step.level)
        if held.state == Filing.State.APPROVED:
            held.approved_content, held.approved_as_of = held.content, held.submitted_at
    else:
        held.state, held.returned_due_at = str(Filing.State.RETURNED), seed.returned_due_at


def _step_row(held: Filing, step: StepSeed, by: Account) -> FilingStep:
    return FilingStep(
        filing=held,
        kind=step.kind,
        level=step.level,
        content=held.content,
        by=by,
        by_name=by.name,
        at=step.at,
        as_of=step.at if step.kind == FilingStep.Kind.SUBMIT else None,
        reason=step.reason,
    )


def _comment(life: RoundLife, held: Filing, seed: FilingSeed) -> None:
    assert life.schema is not None  # noqa: S101 (the round is open)
    found = []
    for one in seed.comments:
        data = dict(zip(life.schema.key, one.key, strict=False))
        place = (life.seed.register, life.seed.period, held.unit_id, key_of(life.schema, data))
        column, author = life.schema.by_name[one.field], life.accounts[one.by]
        value = mask_field(one.value, column) if column.sensitive else one.value  # type: ignore[arg-type]
        found.append(
            CellComment(
                filing=held,
                record_id=life.ground.records.get(place),
                field=one.field,
                text=one.text,
                value=value,
                content=held.content,
                by=author,
                by_name=author.name,
                at=one.at,
            )
        )
    CellComment.objects.bulk_create(found)


def _note(life: RoundLife, held: Filing, step: StepSeed, actor: Account) -> None:
    new = {"state": Filing.State(held.state).label, "level": LEVELS.get(step.level), "content": held.content}
    audit.note(
        f"filing.{step.kind}",
        actor=actor,
        about=("filing", held.pk, f"{life.names.get(held.unit_id, '')} {life.seed.title}"),
        unit_id=held.unit_id,
        changes=audit.differences({}, new, {"state": "状态", "level": "哪一级", "content": "第几次提交"}),
        reason=step.reason,
    )


def _tell(held: Filing, made: FilingStep, seed: FilingSeed, actor: Account) -> None:
    """The notices that the actions of rounds send: a filing came back, or is through."""
    title = held.round.title
    if made.kind == FilingStep.Kind.RETURN:
        head = f"{title}退回，{len(seed.comments)} 格要改" if seed.comments else f"{title}退回修改"
        until = due_words(held.returned_due_at, clock.today())
        tell_unit(held, made, head, f"{actor.name}：{made.reason}。改正截止{until}。", mood="back")
    elif held.state == Filing.State.APPROVED:
        tell_unit(held, made, f"{title}已审定", f"{actor.name}审定。要再改，先联系对方退回修改。")


@audit.action
def do_keep_draft(ground: Ground, seed: DraftSeed, *, acting_user: Account) -> None:
    """A form that was begun and not sent."""
    row, unit, period = ground.register(seed.register), ground.units[seed.unit], ground.period(seed.period)
    draft = Draft.objects.create(
        account=acting_user, register=row, unit=unit, period=period, typed=seed.typed, saved_at=clock.now()
    )
    touch_many(row, [unit.pk], period, clock.now())
    about = ("draft", draft.pk, f"{row.title} 草稿")
    audit.note("draft.save", actor=acting_user, about=about, unit_id=unit.pk, count=len(seed.typed))
