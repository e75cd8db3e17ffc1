"""From a read file to the preview that a person decides on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jiaoheng.bureau.ledgers.imports import preview as stored
from jiaoheng.bureau.ledgers.imports.answers import FILES, HEADS, LEFT_OUT
from jiaoheng.bureau.ledgers.imports.planning import Plan, plan_of
from jiaoheng.bureau.ledgers.imports.preview import MOST_CELLS, FileLine, Preview, ShownCell
from jiaoheng.bureau.ledgers.imports.reading import Count, Read, read
from jiaoheng.bureau.ledgers.imports.sheet_lines import save_lines
from jiaoheng.bureau.ledgers.masking_rules import identity_words, shown
from jiaoheng.bureau.ledgers.models import ImportBatch
from jiaoheng.bureau.ledgers.registry import newest_schema
from jiaoheng.registers.collecting import uncollected
from jiaoheng.registers.differences import RowState, shown_change
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity


@uncollected()
def make_preview(batch: ImportBatch, count: Count = lambda done, total: None) -> tuple[Preview, str, str]:
    """Read the file and store its preview: the preview, its folder below settings.FILES, the basis it stands on."""
    found = read(batch, count)
    plan = plan_of(found.judged, found.ground.ids, found.said.answers, found.ground.day)
    made = _preview(found, plan)
    newest = newest_schema(batch.register)
    inside = stored.save(made, plan.rows, newest if newest.version == found.ground.schema.version else None)
    save_lines(inside, found, plan, _questions(found, plan))
    return made, inside, found.basis


def _questions(found: Read, plan: Plan) -> list[Question]:
    return [*found.judged.filled.questions, *plan.questions, *_file_questions(found)]


def _preview(found: Read, plan: Plan) -> Preview:
    judged, ground = found.judged, found.ground
    counts = {
        "rows": judged.filled.count,
        "new": plan.new,
        "changed": plan.changed,
        "same": plan.same,
        "wrong": judged.differences.count(RowState.WRONG),
        "wrong_cells": sum(one.severity is Severity.ERROR and bool(one.place.row) for one in judged.problems),
        "cleared": plan.cleared,
        "missing": len(judged.differences.missing),
        "conflicts": plan.conflicts,
        "drafts": plan.drafts,
        "masked": sum(judged.differences.masked.values()),
        "cells": len(plan.changes),
        "files": len(found.rows_of),
    }
    still_open = tuple(one for one in _questions(found, plan) if one.key not in found.said.answers)
    return Preview(
        counts=counts,
        sentence=_sentence(found, counts),
        problems=tuple(judged.problems),
        questions=still_open,
        notes=tuple(judged.filled.notes),
        not_taken=tuple(
            f"“{one.title}”（{one.place.cell}）{one.values} 个值没有导入：{one.reason}"
            for one in judged.filled.not_taken
        ),
        cells=tuple(_cells(found, plan)),
        missing=tuple(
            identity_words(ground.schema, one.data, ground.day) or one.id
            for one in judged.differences.missing[:MOST_CELLS]
        ),
        files=_files(found),
        answered=tuple(found.said.answers.items()),
        headers=tuple((file, sheet, row) for (file, sheet), row in judged.filled.headers.items()),
        blocked=_blocked(found, plan, still_open),
        units=tuple(sorted({row.unit for row in plan.rows})),
        extra={"basis_units": list(found.basis_units)},
    )


def _sentence(found: Read, counts: dict[str, int]) -> str:
    """新增 0，变更 1，相同 22。2 条在文件中没有，未作改动。"""
    schema = found.ground.schema
    words = [f"新增 {counts['new']}", f"变更 {counts['changed']}", f"相同 {counts['same']}"]
    if counts["wrong"]:
        words.append(f"有错 {counts['wrong']}")
    if counts["cleared"]:
        words.append(f"清空 {counts['cleared']}")
    parts = ["，".join(words)]
    if counts["rows"] and counts["same"] == counts["rows"]:
        parts.append("文件与库中完全相同，没有要写入的内容")
    if counts["conflicts"]:
        parts.append(f"{counts['conflicts']} 处在您下载之后已被他人改动，须选定")
    if counts["drafts"]:
        lacking = sorted({name for row in found.judged.differences.rows for name in row.incomplete})
        titles = "、".join(schema.by_name[name].title for name in lacking)
        parts.append(f"{counts['drafts']} 条缺必填的{titles}，存为草稿，补齐后再提交")
    if counts["missing"]:
        parts.append(f"{counts['missing']} 条在文件中没有，未作改动")
    for name, cells in found.judged.differences.masked.items():
        parts.append(f"“{schema.by_name[name].title}”有 {cells} 个脱敏值，未导入")
    return "。".join(parts) + "。"


def _cells(found: Read, plan: Plan) -> list[ShownCell]:
    schema, day, names = found.ground.schema, found.ground.day, found.ground.names
    made = []
    for row, change in plan.changes[:MOST_CELLS]:
        one = schema.by_name[change.field]
        texts = (shown(schema, one, change.old, day), shown(schema, one, change.new, day))
        place = found.judged.filled.place(row.row, change.field)
        unit = names.get(found.judged.units[row.row] or "", "")
        name = identity_words(schema, row.data, day)
        made.append(ShownCell(str(place), unit, name, one.title, shown_change(change, one, texts)))
    return made


def _files(found: Read) -> tuple[FileLine, ...]:
    if len(found.rows_of) < 2:
        return ()
    wrong: Counter[str] = Counter()
    refused: dict[str, str] = {}
    seen: set[tuple[str, str, int]] = set()
    for one in found.judged.problems:
        if one.severity is not Severity.ERROR:
            continue
        place = one.place
        if not place.row:
            refused.setdefault(place.file, one.message)
        elif (place.file, place.sheet, place.row) not in seen:
            seen.add((place.file, place.sheet, place.row))
            wrong[place.file] += 1
    for name in found.left_out:
        refused[name] = "已选定不导入"
    return tuple(FileLine(name, rows, wrong[name], refused.get(name, "")) for name, rows in found.rows_of.items())


def _file_questions(found: Read) -> list[Question]:
    """A file of several that cannot be read may be left out; without an answer it stops the import."""
    if len(found.parts) < 2:
        return []
    choices = (Choice(LEFT_OUT, "不导入这个文件，其余照常"),)
    return [
        Question(
            "file-refused", (FILES, one.file), Place(one.file), f"“{one.file}”不能导入：{_why(one.problems)}", choices
        )
        for one in found.parts
        if one.refused and one.file not in found.left_out
    ]


def _why(problems: Sequence[Problem]) -> str:
    return next((one.message for one in problems if one.severity is Severity.ERROR), "读不出")


def _blocked(found: Read, plan: Plan, questions: Sequence[Question]) -> str:
    judged = found.judged
    if judged.filled.refused:
        problem = next(one for one in judged.filled.problems if one.severity is Severity.ERROR)
        return f"{problem.message}。{problem.remedy}。" if problem.remedy else f"{problem.message}。"
    if any(key[0] == HEADS and value == "否" for key, value in found.said.answers.items()):
        return "按表头对应的列有误，请用本台账的模板填写后再上传。"
    wrong = sum(one.severity is Severity.ERROR for one in judged.problems)
    if wrong:
        return f"有 {wrong} 处错误，改正后才能导入：可在本页改，也可取走标注的工作簿，改好再上传。"
    waiting = sum(one.blocking for one in questions)
    if waiting:
        return f"还有 {waiting} 个问题没有回答。"
    if not plan.rows:
        return "没有要写入的内容：文件与库中完全相同。"
    return ""
