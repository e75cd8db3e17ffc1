"""The others' side of `ledgers.py`, run with the Python that has them: floor, django-import-export, frictionless."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import ledgers_data as data

INTEGERS, DECIMALS = data.INTEGERS, data.DECIMALS
NAMES = [
    "unit",
    "code",
    "name",
    "gender",
    "born",
    "class_name",
    "level",
    "boards",
    "phone",
    "note",
    *INTEGERS,
    *DECIMALS,
]


def floor(folder: Path) -> dict[str, Any]:
    """calamine reads the sheet, executemany stores it: nothing understood, nothing checked, no history."""
    from python_calamine import CalamineWorkbook

    began = time.perf_counter()
    rows = CalamineWorkbook.from_path(folder / "good.xlsx").get_sheet_by_index(0).to_python()
    read = time.perf_counter()
    base = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute(f"CREATE TABLE rows ({', '.join(NAMES)})")
    base.execute("BEGIN IMMEDIATE")
    base.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(NAMES))})", rows[1:])  # noqa: S608
    base.execute("COMMIT")
    done = time.perf_counter()
    return {"read": read - began, "write": done - read, "total": done - began, "stored": len(rows) - 1}


def import_export(folder: Path) -> dict[str, Any]:
    """django-import-export as its documentation advises for many rows: bulk, no diffs, no look-ups, validation on."""
    import django
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=["import_export"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "import_export.sqlite3"),
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                },
            }
        },
        USE_TZ=True,
    )
    django.setup()
    from django.core.validators import MaxLengthValidator, MinValueValidator, RegexValidator
    from django.db import connection, models
    from import_export import resources
    from import_export.formats.base_formats import XLSX

    columns: dict[str, Any] = {
        "unit": models.CharField("单位代码", max_length=10, validators=[RegexValidator("^[0-9]{10}$")]),
        "code": models.CharField("编号", max_length=8, unique=True, validators=[RegexValidator("^[0-9]{8}$")]),
        "name": models.CharField("姓名", max_length=20),
        "gender": models.CharField("性别", max_length=1, choices=[("男", "男"), ("女", "女")]),
        "born": models.DateField("出生日期"),
        "class_name": models.CharField("班级", max_length=20, blank=True),
        "level": models.CharField("等级", max_length=1, choices=[(v, v) for v in data.LEVELS.values()], blank=True),
        "boards": models.CharField("住宿", max_length=1, choices=[("是", "是"), ("否", "否")], blank=True),
        "phone": models.CharField("电话", max_length=11, blank=True, validators=[RegexValidator("^1[0-9]{10}$")]),
        "note": models.CharField("备注", max_length=100, blank=True, validators=[MaxLengthValidator(100)]),
    }
    for name in INTEGERS:
        columns[name] = models.IntegerField(f"数量{name[1:]}", validators=[MinValueValidator(0)])
    for name in DECIMALS:
        columns[name] = models.DecimalField(f"金额{name[1:]}", max_digits=12, decimal_places=2, null=True)
    meta = type("Meta", (), {"app_label": "bench"})
    row = type("Row", (models.Model,), {**columns, "Meta": meta, "__module__": __name__})
    with connection.schema_editor() as editor:
        editor.create_model(row)

    class Rows(resources.ModelResource):
        class Meta:
            model = row
            fields = NAMES
            import_id_fields = ["code"]
            use_bulk = True
            batch_size = 1000
            skip_diff = True
            force_init_instance = True
            clean_model_instances = True
            use_transactions = True

    def run(name: str) -> Any:
        dataset = XLSX().create_dataset((folder / name).read_bytes())
        dataset.headers = NAMES
        for column in ("note", "phone", "level", "boards", "class_name"):
            at = NAMES.index(column)
            for one in dataset._data:
                if one[at] is None:
                    one[at] = ""
        return Rows().import_data(dataset, dry_run=False, raise_errors=False, collect_failed_rows=False)

    began = time.perf_counter()
    result = run("good.xlsx")
    total = time.perf_counter() - began
    if result.has_errors() or result.has_validation_errors():
        raise SystemExit(f"import-export refused the clean file: {result.row_errors()[:1]} {result.invalid_rows[:1]}")
    return {"total": total, "stored": row.objects.count()}


def frictionless(folder: Path) -> dict[str, Any]:
    """frictionless validates the clean file against the same constraints; nothing is stored."""
    from frictionless import Schema, validate
    from frictionless.resources import TableResource

    typed: dict[str, dict[str, Any]] = {name: {"type": "string"} for name in NAMES}
    typed["code"] = {"type": "string", "constraints": {"required": True, "unique": True, "pattern": "[0-9]{8}"}}
    typed["name"] = {"type": "string", "constraints": {"required": True, "maxLength": 20}}
    typed["gender"] = {"type": "string", "constraints": {"required": True, "enum": ["男", "女"]}}
    typed["born"] = {"type": "date", "constraints": {"required": True}}
    typed["level"] = {"type": "string", "constraints": {"enum": list(data.LEVELS.values())}}
    typed["phone"] = {"type": "string", "constraints": {"pattern": "1[0-9]{10}"}}
    for name in INTEGERS:
        typed[name] = {"type": "integer", "constraints": {"required": True, "minimum": 0, "maximum": 100000}}
    for name in DECIMALS:
        typed[name] = {"type": "number", "constraints": {"minimum": 0}}
    heads = dict(zip(NAMES, data.HEADS, strict=True))
    fields = [{"name": heads[name], **typed[name]} for name in NAMES]
    schema = Schema.from_descriptor({"fields": fields})
    began = time.perf_counter()
    source = TableResource(path="good.xlsx", basepath=str(folder), schema=schema)
    report = validate(source, limit_errors=2000)
    total = time.perf_counter() - began
    if not report.valid:
        raise SystemExit(f"frictionless refused the clean file: {report.flatten(['message'])[:3]}")
    return {"total": total}


if __name__ == "__main__":
    chosen = {"floor": floor, "import_export": import_export, "frictionless": frictionless}[sys.argv[2]]
    figures = chosen(Path(sys.argv[1]))
    figures["cpu"] = sum(os.times()[:4])
    figures["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))
