"""The uploader's own workbook to take away: wrong cells marked with the reason, open questions on a first sheet."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
from pathlib import Path, PurePath

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.imports import files
from jiaoheng.bureau.ledgers.imports.preview import Preview
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch
from jiaoheng.registers.marking import UPLOAD_AGAIN
from jiaoheng.registers.template_marks import CHOICE_SHEET, META_SHEET
from jiaoheng.sheets.annotate import AnnotateError, AnnotateResult, annotate, annotate_many
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reading import read_file, read_files
from jiaoheng.sheets.workbook import SourceFile

KEPT = dt.timedelta(days=7)
_OWN = frozenset({META_SHEET, CHOICE_SHEET})


@audit.action
def do_take_marked(batch: ImportBatch, *, acting_user: Account) -> Attachment:
    """Write the marked copy of an import's file; it belongs to the uploader alone. RefusedError where none can be made."""
    shown = preview_of(batch)
    with tempfile.TemporaryDirectory(prefix="jiaoheng-") as folder:
        made = Path(folder) / "marked.xlsx"
        try:
            with files.plain(batch.attachment) as path:
                result = _mark(path, batch, shown, made, Path(folder))
        except AnnotateError as error:
            raise RefusedError("not-markable", f"{error}。可照本页列出的格子改正") from error
        kept = files.below(files.RESULTS, f"{secrets.token_hex(16)}{result.path.suffix}")
        kept.write_bytes(result.path.read_bytes())
    name = f"标注_{PurePath(batch.attachment.name).stem}{kept.suffix}"
    attachment = files.keep(kept, name, "result", unit=batch.unit, owner=acting_user, secret=True)
    attachment.expires_at = clock.now() + KEPT
    attachment.save(update_fields=["expires_at"])
    about = ("import", batch.pk, f"{batch.register.title}：{batch.attachment.name}")
    audit.note("import.marked", actor=acting_user, about=about, unit_id=batch.unit_id, count=max(1, result.marked))
    return attachment


def _mark(path: Path, batch: ImportBatch, shown: Preview, out: Path, folder: Path) -> AnnotateResult:
    problems = [one for one in shown.problems if one.place.sheet not in _OWN]
    questions = [one for one in shown.questions if one.blocking]  # what has an answer by itself marks no cell
    answered = dict(shown.answered)
    headers = {(file, sheet): row for file, sheet, row in shown.headers}
    limits = Limits.from_environment()
    if files.is_bundle(path):
        sources = read_files(files.unpack(path, folder / "files", limits), limits=limits)
        return annotate_many(sources, problems, questions, out, answered=answered, headers=headers, step=UPLOAD_AGAIN)
    # an xlsx is patched as it lies: only its name is needed; any other format is read and written anew
    named = SourceFile(str(path), batch.attachment.name, "", 0, "", None, (), ())
    try:
        return annotate(path, named, problems, questions, out, answered=answered, headers=headers, step=UPLOAD_AGAIN)
    except AnnotateError:
        source = read_file(path, label=batch.attachment.name, limits=limits)
        return annotate(path, source, problems, questions, out, answered=answered, headers=headers, step=UPLOAD_AGAIN)
