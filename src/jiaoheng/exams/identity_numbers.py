"""Which number columns tell pupils apart, how widely, and numbers that lost their zeros in one of the sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from jiaoheng import packs
from jiaoheng.exams.gathering import Gathered
from jiaoheng.sheets.places import Choice, Problem, Question, Severity
from jiaoheng.sheets.reading_model import Role

NUMBERS = (Role.PUPIL_ID, Role.ID_CARD, Role.EXAM_NO)
NUMBER_WORDS = {Role.PUPIL_ID: "学号", Role.ID_CARD: "身份证号", Role.EXAM_NO: "考号"}
SCOPES: tuple[tuple[str, ...], ...] = ((), ("school",), ("school", "class"))
SAME_NUMBER, OTHER_NUMBER = "同一号码", "不同号码"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number that identifies pupils, alone or within a school or class."""

    role: Role
    scope: tuple[str, ...]


def choose_identifiers(rows: pl.DataFrame) -> tuple[tuple[Identifier, ...], tuple[Role, ...]]:
    """The usable numbers, best first, and the roles whose numbers are shared by different pupils.

    A pupil's own number goes before the identity card and that before the exam number, unless it is filled in far
    fewer rows than the best one.
    """
    found: list[tuple[Identifier, int]] = []
    useless: list[Role] = []
    for role in NUMBERS:
        filled = rows.height - rows[role.value].null_count()
        if not filled:
            continue
        scope = _scope(rows, role.value)
        if scope is None:
            useless.append(role)
        else:
            found.append((Identifier(role, scope), filled))
    if not found:
        return (), tuple(useless)
    most = max(filled for _, filled in found)
    first = [entry for entry, filled in found if 2 * filled >= most]
    return (*first, *(entry for entry, filled in found if 2 * filled < most)), tuple(useless)


def _scope(rows: pl.DataFrame, role: str) -> tuple[str, ...] | None:
    """The widest scope in which a number belongs to one name; None where it does not even within a class."""
    most = Fraction(packs.load("joining")["identity"]["most_collisions"])
    filled = rows.filter(pl.col(role).is_not_null())
    named = filled.filter(pl.col("name_key").is_not_null())
    told = "name_key"
    if not named.height:  # without names a number that is in two classes belongs to two pupils
        distinct = filled.select("sheet", "subject", "school", "class", role).n_unique()
        if 2 * distinct <= filled.height:
            return None
        named, told = filled.with_columns(pl.concat_str(pl.col("school", "class").fill_null("")).alias("unit")), "unit"
    for scope in SCOPES:
        groups = named.group_by(*scope, role).agg(pl.col(told).n_unique().alias("names"), pl.len().alias("n"))
        shared = groups.filter(pl.col("names") > 1)
        rows_shared = int(shared["n"].sum())
        if Fraction(rows_shared, named.height) <= most:
            return scope
        if shared.height <= 2 and rows_shared <= groups.height - shared.height:
            return scope
    return None


def same_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """Where a sheet calls 考号 what the others call 学号 (the same numbers and names), it becomes the 学号 there."""
    least = Fraction(packs.load("joining")["identity"]["same_numbers"])
    for main in NUMBERS:
        known = rows.filter(pl.col(main.value).is_not_null()).select(
            pl.col(main.value).alias("number"), pl.col("name_key").alias("name_known")
        )
        for other in NUMBERS:
            if other is main or known.is_empty():
                continue
            sheets = _called_otherwise(rows, known.unique("number"), main.value, other.value, least)
            if sheets:
                here = pl.col("sheet").is_in(sheets)
                moved = pl.when(here).then(pl.col(other.value)).otherwise(pl.col(main.value)).alias(main.value)
                rows = rows.with_columns(moved)
    return rows


def _called_otherwise(rows: pl.DataFrame, known: pl.DataFrame, main: str, other: str, least: Fraction) -> list[int]:
    """Sheets without `main` whose numbers of `other` are nearly all known as `main` for the same names."""
    open_sheets = rows.filter(pl.col(main).is_null().all().over("sheet") & pl.col(other).is_not_null())
    found = open_sheets.join(known, left_on=other, right_on="number", how="left", maintain_order="left").group_by(
        "sheet"
    )
    same = pl.col("name_known").is_not_null() & (pl.col("name_known") == pl.col("name_key"))
    shares = found.agg(pl.len().alias("n"), same.sum().alias("same")).sort("sheet")
    return [sheet for sheet, n, agree in shares.iter_rows() if Fraction(agree, n) >= least]


def restore_zeros(
    gathered: Gathered, rows: pl.DataFrame, accepted: Mapping[str, str]
) -> tuple[pl.DataFrame, list[Problem], list[Question]]:
    """Join 118030001 with 0118030001 of another sheet where the names agree; asked, and joined unless refused."""
    problems: list[Problem] = []
    questions: list[Question] = []
    for role in NUMBERS:
        pairs = _short_forms(rows, role.value)
        if pairs.is_empty():
            continue
        word, code = NUMBER_WORDS[role], f"lost-zeros-{role.value}"
        agree = pairs.filter(pl.col("same_name"))
        if agree.height < pairs.height:
            odd = pairs.filter(~pl.col("same_name")).row(0, named=True)
            problems.append(
                Problem(
                    "lost-zeros-names-differ",
                    Severity.WARNING,
                    gathered.place(odd["first"]),
                    f"{word} {odd['short']} 与另一处的 {odd['long']} 只差开头的 0，但姓名不同，按两名学生处理",
                    f"请核对{word}，把该列设为文本格式后重填",
                )
            )
        if agree.is_empty():
            continue
        example = agree.row(0, named=True)
        if code not in accepted:
            places = tuple(gathered.place(row) for row in agree["first"].head(5))
            questions.append(
                Question(
                    "lost-zeros",
                    ("accept", code),
                    places[0],
                    f"{agree.height} 个{word}在不同工作表中只差开头的 0（如 {example['short']} 与 {example['long']}），"
                    "姓名一致，是同一号码吗",
                    (Choice(SAME_NUMBER, "是同一号码，补回开头的 0"), Choice(OTHER_NUMBER, "是不同学生的号码")),
                    SAME_NUMBER,
                    True,
                    places,
                )
            )
        if accepted.get(code, SAME_NUMBER) == SAME_NUMBER:
            rows = rows.with_columns(
                pl.col(role.value).replace(dict(zip(agree["short"].to_list(), agree["long"].to_list(), strict=True)))
            )
    return rows, problems, questions


def _short_forms(rows: pl.DataFrame, role: str) -> pl.DataFrame:
    """short, long, same_name, first (row): numbers that occur with and without leading zeros."""
    forms = (
        rows.filter(pl.col(role).is_not_null())
        .group_by(role, maintain_order=True)
        .agg(
            pl.col("row").first().alias("first"),
            pl.col("name_key").drop_nulls().unique().sort().alias("names"),
        )
        .with_columns(
            pl.col(role).str.strip_chars_start("0").alias("core"), pl.col(role).str.len_chars().alias("digits")
        )
    )
    longest = forms.sort("digits", descending=True).unique("core", keep="first", maintain_order=True)
    pairs = forms.join(longest, on="core", suffix="_long").filter(pl.col(role) != pl.col(f"{role}_long"))
    either_empty = (pl.col("names").list.len() == 0) | (pl.col("names_long").list.len() == 0)
    return pairs.select(
        pl.col(role).alias("short"),
        pl.col(f"{role}_long").alias("long"),
        (either_empty | (pl.col("names") == pl.col("names_long"))).alias("same_name"),
        "first",
    )
