"""`jiaoheng exam sample` and `jiaoheng exam template`."""

from __future__ import annotations

from pathlib import Path

from jiaoheng.cli.console import OK, say
from jiaoheng.cli.outputs import whole_folder


def run_sample(out: Path, *, schools: int, pupils: int, seed: int, messy: bool, errors: bool) -> int:
    """Write a synthetic county exam into `out`."""
    from jiaoheng.exams.sample import make_sample

    with whole_folder(out) as work:
        make_sample(work, schools=schools, pupils=pupils, seed=seed, messy=messy, errors=errors)
    say(f"已写入 {out}：{schools} 所学校、{pupils} 名学生的仿真考试。")
    say(f"下一步：jiaoheng exam check {out}")
    return OK


def run_template(out: Path) -> int:
    """Write the empty score workbook and the commented settings into `out`."""
    from jiaoheng.exams.template import write_template

    with whole_folder(out) as work:
        write_template(work)
    say(f"已写入 {out}：成绩模板.xlsx、exam.yaml。")
    return OK
