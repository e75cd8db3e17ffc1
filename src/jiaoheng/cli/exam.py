"""`jiaoheng exam …`: the commands. Everything heavy is imported inside them."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Files = typer.Argument(
    ..., metavar="文件或文件夹...", help="各校交来的成绩文件，或放着它们的文件夹。", show_default=False
)
Settings = typer.Option(
    None, "--settings", metavar="文件", help="考试设置：exam.yaml，或带“设置”工作表的工作簿。", show_default=False
)
Prior = typer.Option(
    None, "--prior-exam", metavar="文件", help="同一批学生的前次考试成绩，可给多次。", show_default=False
)
Yes = typer.Option(False, "--yes", help="没有回答的问题按写明的默认处理，报告中逐条列出。", show_default=False)


@app.command("check", help="检查成绩文件：有哪些表、表头和列、各类行、要先回答的问题、错误的位置。")
def check(
    files: list[Path] = Files,
    settings: Path | None = Settings,
    prior_exam: list[Path] = Prior,
    annotate: Path | None = typer.Option(
        None,
        "--annotate",
        metavar="文件.xlsx",
        help="写出标注后的工作簿：错误的格有颜色和批注，第一张表回答问题。",
        show_default=False,
    ),
    as_json: bool = typer.Option(False, "--json", help="以 JSON 输出结果。", show_default=False),
    yes: bool = Yes,
) -> None:
    """The import preview alone."""
    from jiaoheng.cli.console import guarded
    from jiaoheng.cli.exam_check import run_check

    raise typer.Exit(guarded(lambda: run_check(files, settings, prior_exam or [], annotate, as_json=as_json, yes=yes)))


@app.command(
    "report",
    short_help="生成质量分析报告（网页、Word、Excel、JSON）。",
    help="生成质量分析报告：report.html、report.docx、tables.xlsx、lists.xlsx、summary.json。",
)
def report(
    files: list[Path] = Files,
    out: Path = typer.Option(..., "--out", metavar="文件夹", help="结果文件夹。全部成功后才写入。", show_default=False),
    settings: Path | None = Settings,
    prior_exam: list[Path] = Prior,
    yes: bool = Yes,
    school_packs: bool = typer.Option(
        False, "--school-packs", help="另写各校资料：每校自己的工作簿、简报和成绩条。", show_default=False
    ),
) -> None:
    """Files to report."""
    from jiaoheng.cli.console import guarded
    from jiaoheng.cli.exam_report import run_report_safely

    raise typer.Exit(
        guarded(lambda: run_report_safely(files, out, settings, prior_exam or [], yes=yes, school_packs=school_packs))
    )


@app.command("template", help="写出空白成绩表（带下拉框和“设置”工作表）和带说明的 exam.yaml。")
def template(
    out: Path = typer.Option(..., "--out", metavar="文件夹", help="写到哪里。", show_default=False),
) -> None:
    """Empty score workbook and commented settings."""
    from jiaoheng.cli.console import guarded
    from jiaoheng.cli.exam_samples import run_template

    raise typer.Exit(guarded(lambda: run_template(out)))


@app.command("sample", help="造一个县的仿真考试，用来试用和演示。")
def sample(
    out: Path = typer.Option(..., "--out", metavar="文件夹", help="写到哪里。", show_default=False),
    schools: int = typer.Option(60, min=1, max=2000, help="学校数。"),
    pupils: int = typer.Option(20000, min=1, max=2_000_000, help="学生数。"),
    seed: int = typer.Option(7, help="种子：同样的种子得到同样的数据。"),
    messy: bool = typer.Option(
        False, "--messy", help="像真的一样乱：表头、班级写法、缺考写法各校不同。", show_default=False
    ),
    errors: bool = typer.Option(False, "--errors", help="再加入必须改正的错误。", show_default=False),
) -> None:
    """A synthetic county exam."""
    from jiaoheng.cli.console import guarded
    from jiaoheng.cli.exam_samples import run_sample

    raise typer.Exit(
        guarded(lambda: run_sample(out, schools=schools, pupils=pupils, seed=seed, messy=messy, errors=errors))
    )
