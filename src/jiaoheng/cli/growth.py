"""`jiaoheng growth`: value-added of schools and classes. Everything heavy is imported inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

Files = typer.Argument(..., metavar="文件或文件夹...", help="学生成绩：Parquet、CSV 或 Excel。", show_default=False)


def growth(
    files: list[Path] = Files,
    outcome: str = typer.Option(..., "--outcome", metavar="列", help="终点成绩。", show_default=False),
    prior: str = typer.Option(..., "--prior", metavar="列,列", help="起点成绩，一列或几列。", show_default=False),
    groups: str = typer.Option(
        ..., "--groups", metavar="列,列", help="单位，由外到内：学校,班级。", show_default=False
    ),
    out: Path = typer.Option(..., "--out", metavar="文件夹", help="结果文件夹。全部成功后才写入。", show_default=False),
    covariates: str = typer.Option("", "--covariates", metavar="列,列", help="其他条件：性别、寄宿等。"),
    method: str = typer.Option("lmm", "--method", metavar="方法", help="lmm、crossed、sgp 或 residual。"),
    pupil: str = typer.Option("", "--pupil", metavar="列", help="学籍号：用来查重复和一人两校。"),
    teacher_shares: Path | None = typer.Option(
        None, "--teacher-shares", metavar="文件", help="任教分工：学生（或班级）、教师、份额。", show_default=False
    ),
    weight: str = typer.Option("", "--weight", metavar="列", help="权重。"),
    year: str = typer.Option("", "--year", metavar="列", help="届或学年：多年合并与各年稳定性。"),
    slope: str = typer.Option("", "--slope", metavar="列", help="斜率随最外层单位变化的起点成绩。"),
    reliability: str = typer.Option(
        "", "--reliability", metavar="列=信度,...", help="起点成绩的信度，用来扣除测量误差，如 起点=0.9。"
    ),
    school_means: bool = typer.Option(False, "--school-means", help="再考虑各校起点成绩的平均（生源构成）。"),
    fairness: str = typer.Option("", "--fairness", metavar="列,列", help="公平性检查所看的列，如 寄宿。"),
    persistence: str = typer.Option(
        "0", "--persistence", metavar="数", help="往年教师效应的保留：0 到 1，或 one、each（由数据估计）。"
    ),
    locked: Path | None = typer.Option(
        None, "--locked", metavar="文件", help="上次锁定的学困生、尖子生名单（locked.json）。", show_default=False
    ),
    ml: bool = typer.Option(False, "--ml", help="用极大似然（默认用约束极大似然 REML）。"),
    title: str = typer.Option("", "--title", metavar="标题", help="报告的标题。"),
    organisation: str = typer.Option("", "--organisation", metavar="单位", help="编制单位。"),
    engine: str = typer.Option("", "--engine", metavar="引擎", help="duckdb、local[2] 或 spark://主机:端口。"),
) -> None:
    """增值评价：学校、班级、教师的学生比按起点成绩的预期高出多少，带区间。"""
    from jiaoheng.cli.console import guarded

    def work() -> int:
        from jiaoheng.growth.settings import GrowthSettings

        settings = GrowthSettings(
            outcome=outcome.strip(),
            priors=listed(prior),
            groups=listed(groups),
            covariates=listed(covariates),
            method=method.strip(),
            pupil=pupil.strip(),
            weight=weight.strip(),
            year=year.strip(),
            slope=slope.strip(),
            reliability=pairs(reliability),
            school_means=school_means,
            fairness=listed(fairness),
            teacher_shares=teacher_shares,
            persistence=persistence.strip(),
            locked=locked,
            reml=not ml,
            title=title,
            organisation=organisation,
        )
        return run_growth(files, settings, out, engine or None)

    raise typer.Exit(guarded(work))


def listed(text: str) -> tuple[str, ...]:
    """Names between commas, Chinese or Latin."""
    return tuple(part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip())


def pairs(text: str) -> dict[str, float]:
    """`name=0.9,…`. Raises Refusal where a value is no number."""
    from jiaoheng.cli.console import Refusal

    found: dict[str, float] = {}
    for part in listed(text):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise Refusal(f"--reliability 的“{part}”看不懂。请写成 列=信度，如 起点=0.9。") from error
    return found


def run_growth(files: Sequence[Path], settings: object, out: Path, engine: str | None) -> int:
    """Compute and write; 0 done, 2 where data or settings stop it."""
    from jiaoheng.cli.console import BAD_INPUT, OK, Refusal, counted_progress, reading_limits, say, tell
    from jiaoheng.cli.outputs import whole_folder
    from jiaoheng.engine.connection import EngineError
    from jiaoheng.growth.outputs import FILES, write_outputs
    from jiaoheng.growth.running import GrowthRefusal, run
    from jiaoheng.growth.settings import GrowthSettings
    from jiaoheng.growth.wording import count_sentence

    assert isinstance(settings, GrowthSettings)  # noqa: S101 (for the type checker; the import is late)
    missing = [path for path in files if not path.exists()]
    if missing:
        raise Refusal(f"找不到“{missing[0]}”。请核对路径。")
    limits = reading_limits()
    try:
        with counted_progress() as progress, whole_folder(out) as work:
            result = run(files, settings, engine=engine, limits=limits, progress=progress)
            write_outputs(result, work, progress)
    except GrowthRefusal as refusal:
        for problem in refusal.problems:
            tell(f"{problem}。" if not str(problem).endswith("。") else str(problem))
        return BAD_INPUT
    except EngineError as error:
        raise Refusal(f"{error}。") from error
    say(f"已写入 {out}：{'、'.join(FILES)}")
    for _, effects in result.shown:
        say(f"  {count_sentence(effects)}")
    for warned in (*result.fit.warnings, *result.judging.warnings):
        say(f"  提醒：{warned.text}")
    return OK
