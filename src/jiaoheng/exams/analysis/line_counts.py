"""Lines of the total and who reaches them: every pupil is judged by the line of the own track, counts are added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from jiaoheng.exams.analysis.measure import Exam
from jiaoheng.exams.analysis.papers import TOTAL, Paper
from jiaoheng.exams.resolved import ResolvedLine
from jiaoheng.exams.settings_names import track_words
from jiaoheng.methods.histogram import Mask, ScoreHistogram
from jiaoheng.methods.lines import (
    Line,
    Marks,
    Reach,
    effective_by_band,
    effective_by_rank,
    effective_by_ratio,
    line_by_places,
    line_by_score,
    reach,
)
from jiaoheng.methods.near_line import near_line
from jiaoheng.methods.pupil_rules import pupil_rules


@dataclass(frozen=True, slots=True)
class TrackLine:
    """One track's line: its mark, who belongs to the track, its effective subject scores (None: nobody reaches it)."""

    track: str  # "" is everybody
    line: Line
    pupils: Mask
    effective: Mapping[str, Fraction | None]


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A line by name (本科线) over its tracks."""

    name: str
    tracks: tuple[TrackLine, ...]

    @property
    def pupils(self) -> Mask:
        """Who belongs to one of the tracks that this line is drawn for."""
        masks: Mask = np.logical_or.reduce([one.pupils for one in self.tracks])
        return masks

    def reached(self, total: Marks) -> Mask:
        """Who reaches the line of the own track."""
        mask = np.zeros(total.values.size, np.bool_)
        for one in self.tracks:
            mask |= total.reaches(one.line.mark) & one.pupils
        return mask

    def within(self, total: Marks, below: Fraction, above: Fraction) -> tuple[Mask, Mask]:
        """(just under, just over): L − below ≤ total < L and L ≤ total ≤ L + above, each in the own track."""
        under = np.zeros(total.values.size, np.bool_)
        over = np.zeros(total.values.size, np.bool_)
        most = max(below, above, pupil_rules().near_most)
        for one in self.tracks:
            near = near_line(total.values, total.counted & one.pupils, one.line.mark, above, below, total.step, most)
            under |= near.below
            over |= near.above
        return under, over


def marks_of(paper: Paper, pupils: Mask | None = None) -> Marks:
    """Scores and who counts, of everybody or of a track."""
    return Marks(paper.values, paper.counted if pupils is None else paper.counted & pupils, paper.step)


def named_lines(exam: Exam) -> tuple[NamedLine, ...]:
    """The declared lines in their order, tracks of one name together. Empty without lines or without a total."""
    if TOTAL not in exam.papers:
        return ()
    by_name: dict[str, list[TrackLine]] = {}
    for line in exam.settings.lines.lines:
        made = _track_line(exam, line)
        if made is not None:
            by_name.setdefault(line.name, []).append(made)
    return tuple(NamedLine(name, tuple(tracks)) for name, tracks in by_name.items())


def _track_line(exam: Exam, declared: ResolvedLine) -> TrackLine | None:
    paper = exam.papers[TOTAL]
    pupils = np.ones(paper.values.size, np.bool_)
    if declared.track:
        pupils = exam.roster.pupils["track"].fill_null("").is_in(list(track_words(declared.track))).to_numpy()
    counted = paper.counted & pupils
    histogram = ScoreHistogram.build(paper.values, np.zeros(paper.values.size, np.int64), 1, counted, paper.step)
    if declared.score is not None:
        line: Line | None = line_by_score(histogram, declared.score)
    else:
        line = line_by_places(histogram, declared.places or 1)
    if line is None:
        return None
    effective = {
        name: declared.subject_lines.get(name) or _effective(exam, name, pupils, line.mark) for name in exam.subjects
    }
    return TrackLine(declared.track, line, pupils, effective)


def _effective(exam: Exam, name: str, pupils: Mask, mark: Fraction) -> Fraction | None:
    subject, total = marks_of(exam.papers[name], pupils), marks_of(exam.papers[TOTAL], pupils)
    method = exam.settings.lines.effective
    if method == "B":
        return effective_by_rank(subject, total, mark)
    if method == "C":
        return effective_by_band(subject, total, mark, exam.settings.lines.band)
    return effective_by_ratio(subject, total, mark)


def subject_reach(exam: Exam, line: NamedLine, name: str, level: str) -> Reach | None:
    """Single, double, total reach of a subject by unit, tracks added; None where no track has an effective score.

    A track of which nobody reaches the line has no effective score: its takers are not in any of the numbers.
    """
    units = exam.units.level(level)
    found: Reach | None = None
    for one in line.tracks:
        effective = one.effective.get(name)
        if effective is None:
            continue
        subject, total = marks_of(exam.papers[name], one.pupils), marks_of(exam.papers[TOTAL], one.pupils)
        made = reach(subject, effective, total, one.line.mark, units.of_pupil, len(units))
        found = made if found is None else found + made
    return found
