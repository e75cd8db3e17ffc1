"""The second step: questions answered and cells corrected on the page; the file is judged anew each time."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.imports.answers import Key, Said
from jiaoheng.bureau.ledgers.imports.preview import Preview
from jiaoheng.bureau.ledgers.imports.sheet_lines import load_lines
from jiaoheng.bureau.ledgers.imports.starting import AT_ONCE, do_queue_reading, preview_of, refresh
from jiaoheng.bureau.ledgers.models import ImportBatch


def do_answer_questions(
    batch: ImportBatch, answers: Mapping[Key, str], *, at_once: bool | None = None, acting_user: Account
) -> Preview | None:
    """Answer questions of the preview by their keys and judge anew; None where the worker does it.

    RefusedError `answer-unknown` for an answer that is none of the question's choices; then nothing is kept.
    """
    said = Said.of(batch.answers)
    _take_answers(said, preview_of(batch), answers)
    return _again(batch, said, acting_user, at_once)


def do_fix_cells(batch: ImportBatch, cells: Mapping[str, str], *, acting_user: Account) -> Preview | None:
    """Correct cells on the page: place key (文件|工作表|E17) → text as it should stand; judged anew.

    The uploaded file stays as it is. RefusedError `cell-unknown` for a place that the preview names nowhere.
    """
    said = Said.of(batch.answers)
    _take_cells(said, preview_of(batch), cells, load_lines(batch.preview).raw)
    return _again(batch, said, acting_user)


def do_settle_import(
    batch: ImportBatch, answers: Mapping[Key, str], cells: Mapping[str, str], *, acting_user: Account
) -> Preview | None:
    """Both at once, as the page sends them: the file is judged anew only once. Refused as each alone."""
    return _again(batch, _said_more(batch, answers, cells), acting_user)


def do_keep_answers(
    batch: ImportBatch, answers: Mapping[Key, str], cells: Mapping[str, str], *, acting_user: Account
) -> None:
    """Keep both without judging the file anew: the person goes on to another page of them. Refused as each alone."""
    said = _said_more(batch, answers, cells)
    said.kept = True
    _keep(batch, said, acting_user=acting_user)


def _said_more(batch: ImportBatch, answers: Mapping[Key, str], cells: Mapping[str, str]) -> Said:
    said, shown = Said.of(batch.answers), preview_of(batch)
    _take_answers(said, shown, answers)
    _take_cells(said, shown, cells, load_lines(batch.preview).raw)
    return said


def _take_answers(said: Said, shown: Preview, answers: Mapping[Key, str]) -> None:
    asked = {one.key: one for one in shown.questions}
    for key, value in answers.items():
        question = asked.get(key)
        if question is None and key not in said.answers:
            raise RefusedError("question-unknown", "这个问题已不在，请刷新页面")
        choices = [one.value for one in question.choices] if question is not None else []
        if choices and value not in choices:
            labels = "、".join(one.label for one in question.choices) if question is not None else ""
            raise RefusedError("answer-unknown", f"“{value}”不是可选的回答，可选：{labels}")
        said.answers[key] = value


def _take_cells(said: Said, shown: Preview, cells: Mapping[str, str], sent: Collection[str]) -> None:
    """Take corrected cells: of a problem, of a question, and `sent`, the other cells that a broken rule names."""
    known = {one.place.key for one in shown.problems} | {one.place.key for one in shown.questions}
    for key in cells:
        if key not in known and key not in sent and key not in said.cells:
            raise RefusedError("cell-unknown", f"“{key.rpartition('|')[2]}”不在要改正的格子里，请刷新页面")
    said.cells.update({key: text.strip() for key, text in cells.items()})


def defaults(shown: Preview) -> dict[Key, str]:
    """The default answers of what is still open; a question without a default is not in it."""
    return {one.key: one.default for one in shown.questions if one.default is not None}


def _again(batch: ImportBatch, said: Said, acting_user: Account, at_once: bool | None = None) -> Preview | None:
    said.kept = False
    _keep(batch, said, acting_user=acting_user)
    if at_once if at_once is not None else batch.attachment.size <= AT_ONCE:
        return refresh(batch)
    do_queue_reading(batch, acting_user=acting_user)
    return None


@audit.action
def _keep(batch: ImportBatch, said: Said, *, acting_user: Account) -> None:
    now = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if now.state != ImportBatch.State.PREVIEW:
        raise RefusedError("import-over", f"这次导入{ImportBatch.State(now.state).label}，不能再改")
    batch.answers = said.stored()
    batch.save(update_fields=["answers"])
    about = ("import", batch.pk, f"{batch.register.title}：{batch.attachment.name}")
    count = len(said.answers) + len(said.cells)
    audit.note("import.answer", actor=acting_user, about=about, unit_id=batch.unit_id, count=count)
