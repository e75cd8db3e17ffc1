"""A later import over an earlier one: what is new, changed, the same or kept, by cell; a blank never erases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.exams.gathering import Index
from jiaoheng.exams.names import name_key
from jiaoheng.exams.prior import align
from jiaoheng.exams.repeats import STATE_WORDS
from jiaoheng.exams.roster_model import ItemScores, PriorExam, Roster, Subject, SubjectScores
from jiaoheng.exams.steps import common_step, plain_fraction, regrid
from jiaoheng.exams.totals import TotalPolicy, total_scores
from jiaoheng.exams.units import natural_key
from jiaoheng.sheets.places import Problem, Severity
from jiaoheng.sheets.reading_model import ScoreState


class Change(StrEnum):
    """What an import does to one cell."""

    NEW = "新增"
    CHANGED = "改动"
    SAME = "相同"
    KEPT = "保留"  # the new file is blank here; the earlier value stays


CHANGE_COLUMNS = {
    "kind": pl.String,
    "key": pl.String,
    "name": pl.String,
    "school": pl.String,
    "class": pl.String,
    "subject": pl.String,
    "before": pl.String,
    "after": pl.String,
    "file": pl.String,
    "sheet": pl.String,
    "row": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """`changes`: one row for each cell that is new, changed or kept; `counts` counts the same cells too."""

    changes: pl.DataFrame
    counts: Mapping[Change, int]
    new_pupils: int
    untouched_pupils: int  # in the earlier import alone
    same_files: bool  # every file was imported before, byte for byte


@dataclass(frozen=True, slots=True)
class Merged:
    """The roster after an import. `history`: every value that was replaced, oldest first (columns of changes)."""

    roster: Roster
    preview: ImportPreview
    history: pl.DataFrame


class ImportRefusedError(ValueError):
    """The new files hold errors; nothing of them is taken."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("文件中有错误，没有导入任何成绩：" + "；".join(str(problem) for problem in problems[:3]))
        self.problems = problems


def compare_import(old: Roster, new: Roster) -> ImportPreview:
    """What an import of `new` over `old` would do, by cell. Both rosters come from `roster.assemble`."""
    match = _match(old, new)
    counts = dict.fromkeys(Change, 0)
    parts = [pl.DataFrame(schema=CHANGE_COLUMNS)]
    for subject in new.subjects:
        kinds, before, after = _kinds(old.scores.get(subject.name), new.scores[subject.name], match)
        for change in Change:
            counts[change] += int((kinds == change.value).sum())
        parts.append(_listed(new, subject.name, kinds, before, after))
    known = {file["sha256"] for file in old.files}
    return ImportPreview(
        pl.concat(parts),
        counts,
        int((match < 0).sum()),
        old.pupils.height - int((match >= 0).sum()),
        bool(new.files) and all(file["sha256"] in known for file in new.files),
    )


def merge_import(old: Roster, new: Roster, policy: TotalPolicy, history: pl.DataFrame | None = None) -> Merged:
    """Take `new` over `old`: new and changed cells replace, blanks keep, pupils and subjects of either side stay.

    Totals are computed again under `policy`. `history`: that of the earlier merge; replaced values are added.
    Raises ImportRefusedError where `new` holds an error: all or nothing.
    """
    errors = tuple(problem for problem in new.problems if problem.severity is Severity.ERROR)
    if errors:
        raise ImportRefusedError(errors)
    preview = compare_import(old, new)
    match = _match(old, new)
    pupils, from_old, from_new = _merged_pupils(old, new, match)
    names = list(dict.fromkeys([*(s.name for s in old.subjects), *(s.name for s in new.subjects)]))
    scores = {
        name: _merged_scores(old.scores.get(name), new.scores.get(name), from_old, from_new, pupils.height)
        for name in names
    }
    subjects = tuple(scores[name].subject for name in names)
    roster = Roster(
        pupils,
        subjects,
        scores,
        total_scores(subjects, scores, policy),
        {**_moved_items(old.items, from_old), **_moved_items(new.items, from_new)},
        _moved_prior(new.prior, from_new, pupils.height) or _moved_prior(old.prior, from_old, pupils.height),
        new.problems,
        new.questions,
        tuple({file["sha256"]: file for file in (*old.files, *new.files)}.values()),
    )
    replaced = preview.changes.filter(pl.col("kind") == Change.CHANGED.value)
    earlier = history if history is not None else pl.DataFrame(schema=CHANGE_COLUMNS)
    return Merged(roster, preview, pl.concat([earlier, replaced]))


def _match(old: Roster, new: Roster) -> Index:
    """For each pupil of `new` the position in `old`, −1 for a new pupil."""
    return align(_keys(new), _keys(old), across_classes=False)


def _keys(roster: Roster) -> pl.DataFrame:
    return roster.pupils.select(
        "pupil_id",
        pl.lit(None, pl.String).alias("id_card"),
        "exam_no",
        "school",
        "class",
        pl.Series("name_key", [name_key(name) if name else None for name in roster.pupils["name"]], pl.String),
    )


def _kinds(
    old: SubjectScores | None, new: SubjectScores, match: Index
) -> tuple[npt.NDArray[np.str_], list[str], list[str]]:
    """The kind of change of each pupil's cell ("" where both are blank), and both values as text where they differ."""
    size = len(new.values)
    if old is None:
        before_states = np.full(size, ScoreState.MISSING, np.uint8)
        before_values, step = np.zeros(size, np.int32), new.subject.step
    else:
        step = common_step(old.subject.step, new.subject.step)
        before_states = np.where(match >= 0, old.states[match], np.uint8(ScoreState.MISSING))
        before_values = np.where(match >= 0, regrid(old.values, old.subject.step, step)[match], 0)
    after_values = regrid(new.values, new.subject.step, step)
    was, is_ = before_states != ScoreState.MISSING, new.states != ScoreState.MISSING
    same = (before_states == new.states) & (before_values == after_values)
    kinds = np.select(
        [was & ~is_, ~was & is_, was & is_ & same, was & is_],
        [Change.KEPT.value, Change.NEW.value, Change.SAME.value, Change.CHANGED.value],
        "",
    )
    wanted = np.isin(kinds, (Change.NEW.value, Change.CHANGED.value, Change.KEPT.value))
    before = [
        _text(int(v), int(s), step) if w else "" for v, s, w in zip(before_values, before_states, wanted, strict=True)
    ]
    after = [_text(int(v), int(s), step) if w else "" for v, s, w in zip(after_values, new.states, wanted, strict=True)]
    return kinds, before, after


def _text(value: int, state: int, step: Fraction) -> str:
    return plain_fraction(value * step) if state == ScoreState.SCORED else STATE_WORDS[ScoreState(state)]


def _listed(
    new: Roster, subject: str, kinds: npt.NDArray[np.str_], before: list[str], after: list[str]
) -> pl.DataFrame:
    columns = ["key", "name", "school", "class", "file", "sheet", "row"]
    return (
        new.pupils.select(columns)
        .with_columns(
            pl.Series("kind", kinds, pl.String),
            pl.lit(subject).alias("subject"),
            pl.Series("before", before, pl.String),
            pl.Series("after", after, pl.String),
        )
        .filter(pl.col("kind").is_in([Change.NEW.value, Change.CHANGED.value, Change.KEPT.value]))
        .select(list(CHANGE_COLUMNS))
    )


def _merged_pupils(old: Roster, new: Roster, match: Index) -> tuple[pl.DataFrame, Index, Index]:
    """All pupils in roster order, and where each pupil of `old` and of `new` now stands."""
    fresh = np.flatnonzero(match < 0)
    at = match.copy()
    at[fresh] = old.pupils.height + np.arange(fresh.size)
    updated = _filled(old.pupils, new.pupils, match)
    table = pl.concat([updated, new.pupils[fresh]]).with_row_index("at")
    classes = sorted({name for name in table["class"].to_list() if name is not None}, key=natural_key)
    order = pl.DataFrame(
        {"class": classes, "class_order": range(len(classes))}, {"class": pl.String, "class_order": pl.Int64}
    )
    table = table.join(order, on="class", how="left", maintain_order="left").sort(
        "school", "class_order", nulls_last=True, maintain_order=True
    )
    place = np.empty(table.height, np.int64)
    place[table["at"].to_numpy()] = np.arange(table.height)
    return table.drop("at", "class_order"), place[: old.pupils.height], place[at]


def _filled(old: pl.DataFrame, new: pl.DataFrame, match: Index) -> pl.DataFrame:
    """Earlier pupils with what the new files say of them; what they leave blank stays."""
    known = np.flatnonzero(match >= 0)
    said = new[known].with_columns(pl.Series("at", match[known], pl.Int64))
    both = old.with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))
    joined = both.join(said, on="at", how="left", suffix="_new", maintain_order="left")
    return joined.select(pl.coalesce(f"{name}_new", name).alias(name) for name in old.columns)


def _merged_scores(
    old: SubjectScores | None, new: SubjectScores | None, from_old: Index, from_new: Index, size: int
) -> SubjectScores:
    parts = [(part, at) for part, at in ((old, from_old), (new, from_new)) if part is not None]
    step = parts[0][0].subject.step
    for part, _ in parts[1:]:
        step = common_step(step, part.subject.step)
    values = np.zeros(size, np.int32)
    states = np.full(size, ScoreState.MISSING, np.uint8)
    make_up: dict[int, int] = {}
    for part, at in parts:
        said = part.states != ScoreState.MISSING
        values[at[said]] = regrid(part.values, part.subject.step, step)[said]
        states[at[said]] = part.states[said]
        factor = part.subject.step / step
        make_up.update({int(at[i]): int(score * factor) for i, score in part.make_up.items()})
    subject: Subject = replace(parts[-1][0].subject, step=step)
    return SubjectScores(subject, values, states, make_up)


def _moved_items(items: Mapping[str, ItemScores], at: Index) -> dict[str, ItemScores]:
    return {name: replace(own, pupils=at[own.pupils]) for name, own in items.items()}


def _moved_prior(prior: PriorExam | None, at: Index, size: int) -> PriorExam | None:
    if prior is None:
        return None

    def moved(own: SubjectScores) -> SubjectScores:
        values = np.zeros(size, np.int32)
        states = np.full(size, ScoreState.MISSING, np.uint8)
        values[at], states[at] = own.values, own.states
        return SubjectScores(own.subject, values, states, {int(at[i]): v for i, v in own.make_up.items()})

    matched = np.zeros(size, np.bool_)
    matched[at] = prior.matched
    total = moved(prior.total) if prior.total is not None else None
    return PriorExam(prior.name, {n: moved(s) for n, s in prior.subjects.items()}, total, matched, prior.prior_only)
