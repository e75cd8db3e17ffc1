"""The pages of imports: upload, cell-by-cell check, confirm, take back, wait for the worker."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, bring, edit, now_stands
from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store
from bureau.ledgers.rounds_stage import listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock, jobs
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers.imports.starting import do_start_import
from jiaoheng.bureau.ledgers.models import ImportBatch, Record
from jiaoheng.registers.model import Field, FieldType

pytestmark = pytest.mark.django_db


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    return store(ROSTER)


@pytest.fixture
def web(world: World, roster: Any) -> Client:
    return signed(world["甲填报"])


def signed(account: Any) -> Client:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(web: Client, world: World, *files: Any, register: str = "t_roster", unit: str = "甲", **more: str) -> Any:
    made = []
    for content, name in files:
        content.name = name
        made.append(content)
    sent = {"unit": world[unit].pk, "files": made, **more}
    return web.post(f"/ledgers/{register}/import", sent)


def brought(web: Client, world: World, rows: list[list[Any]], **more: Any) -> str:
    answer = upload(web, world, kit.sheet([HEADS, *rows]), **more)
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def bare(answer: Any) -> str:
    """A page without the token that is new on each."""
    return re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[^"]*', r"\1", text(answer))


def fields_of(html: str) -> dict[str, str]:
    """What the form of the second step would send as it stands."""
    form = html[html.index('id="settle"') : html.index("</form>", html.index('id="settle"'))]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = dict(re.findall(r'(name|value|type)="([^"]*)"', tag))
        if found.get("type") == "radio" and "checked" not in tag:
            continue
        if "name" in found:
            name = found["name"].replace("&quot;", '"').replace("&amp;", "&").replace("&#x27;", "'")
            sent[name] = found.get("value", "").replace("&quot;", '"')
    return sent


def confirmed(web: Client, address: str) -> str:
    """Answer with the defaults, confirm, and give the page that follows."""
    html = text(web.get(address))
    if 'id="settle"' in html and fields_of(html).keys() - {"csrfmiddlewaretoken"}:
        web.post(f"{address}answer", fields_of(html))
    page = text(web.get(f"{address}?step=confirm"))
    assert "确认导入" in page, page
    return text(web.post(f"{address}confirm", follow=True))


def test_three_steps_from_upload_to_the_ledger_and_back(web: Client, world: World, roster: Any) -> None:
    first = text(web.get("/ledgers/t_roster/import"))
    for words in ("空白格不动台账里的值", "清空", "台账一格不动", "取填报表", "东镇甲小学"):
        assert words in first
    address = brought(web, world, [["001", "张三", "1班", 5], ["002", "李四", "2班", 0]])
    assert not Record.objects.filter(register=roster).exists()
    done = confirmed(web, address)
    assert "已导入：新增 2 条" in done
    assert [one["name"] for one in now_stands(roster)] == ["张三", "李四"]
    asked = text(web.get(f"{address}?step=undo"))
    assert "删去 2 条，还原 0 条" in asked
    assert len(now_stands(roster)) == 2
    assert "已撤销" in text(web.post(f"{address}undo", follow=True))
    assert now_stands(roster) == []


def test_an_undo_says_what_it_keeps_and_by_whom(web: Client, world: World, roster: Any) -> None:
    address = brought(web, world, [["001", "张三", "1班", 5], ["002", "李四", "2班", 0]])
    confirmed(web, address)
    edit(roster, Record.objects.get(key="002"), world["甲校长"], acting_user=world["甲校长"], points=9)
    asked = text(web.get(f"{address}?step=undo"))
    assert "删去 1 条" in asked
    assert "甲校长" in asked
    assert "李四" in asked


def test_p14_every_mistake_on_one_page_mended_there(web: Client, world: World, roster: Any) -> None:
    content = {
        "九1": [HEADS, ["001", "张三", "1班", "约30"], ["002", None, "1班", 3]],
        "九2": [HEADS, ["003", "王五", "1班", 3], ["001", "赵六", "1班", 3]],
    }
    address = str(upload(web, world, kit.sheets(content))["Location"])
    html = text(web.get(address))
    for place in (
        '工作表“九1”<a href="#c0-D2">D2</a> 积分',
        '工作表“九1”<a href="#c0-B3">B3</a> 姓名',
        '工作表“九2”<a href="#c1-A3">A3</a> 学号',
    ):
        assert place in html
    assert html.count('class="fix"') == 3
    assert html.count('class="mark m-bad">错</span>') == 3 + 1  # in the cells, and on the tab
    assert "约30" in html
    refused = web.post(f"{address}confirm")
    assert refused.status_code == 400
    assert "有 3 处错误" in text(refused)
    assert not Record.objects.filter(register=roster).exists()
    sent = fields_of(html)
    wrong = {name: name for name in sent if name.startswith("cell-")}
    put = {"D2": "30", "B3": "李四", "A3": "004"}
    for name in wrong:
        sent[name] = put[name.rpartition("|")[2]]
    after = web.post(f"{address}answer", sent)
    assert after["Location"].endswith("?step=confirm")
    assert "确认导入 4 条" in text(web.get(after["Location"]))
    web.post(f"{address}confirm")
    assert [(one["code"], one.get("points")) for one in now_stands(roster)] == [
        ("001", 30),
        ("002", 3),
        ("003", 3),
        ("004", 3),
    ]


def test_p14_the_marked_workbook_comes_back_without_its_marks(web: Client, world: World, roster: Any) -> None:
    address = brought(web, world, [["001", "张三", "1班", "约30"]])
    file = web.post(f"{address}marked", follow=True)
    assert file.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(b"".join(file.streaming_content)))
    page = next(one for one in book.worksheets if one["D2"].value == "约30")
    assert page["D2"].comment is not None
    page["D2"].value = 30
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    again = str(upload(web, world, (out, "标注.xlsx"))["Location"])
    assert "已导入：新增 1 条" in confirmed(web, again)
    assert now_stands(roster)[0]["points"] == 30


def test_p11_out_and_in_again_changes_nothing_and_one_cell_is_one_cell(web: Client, world: World, roster: Any) -> None:
    bring(world, roster, [["001", "张三", "1班", 5], ["002", "李四", "2班", 0], ["003", "王五", None, 7]])
    sent = b"".join(web.get("/ledgers/t_roster/template").streaming_content)
    address = str(upload(web, world, (io.BytesIO(sent), "表.xlsx"))["Location"])
    same = text(web.get(address))
    assert "新增 0，变更 0，相同 3" in same
    assert "没有要写入的内容" in same
    assert "确认导入" not in same.replace("点“确认导入”", "")
    book = openpyxl.load_workbook(io.BytesIO(sent))
    page = kit.data_sheet(book)
    row = kit.head_row(page) + 1
    page.cell(row, kit.column_of(page, "points")).value = 6
    page.delete_rows(row + 2)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    address = str(upload(web, world, (out, "表.xlsx"))["Location"])
    html = text(web.get(address))
    assert "<del>5</del><ins>6</ins>" in html
    assert "1 条在文件中没有，未作改动" in html
    assert "王五" in html
    assert "与台账相同</a>" in html
    confirmed(web, address)
    assert [one.get("points") for one in now_stands(roster)] == [6, 0, 7]


def test_p11_a_masked_number_shows_nowhere_on_the_page(web: Client, world: World, roster: Any) -> None:
    number = "990000201204070001"
    address = str(
        upload(web, world, kit.sheet([["学号", "姓名", "身份证"], ["001", "张三", number], ["002", None, number]]))[
            "Location"
        ]
    )
    html = text(web.get(address))
    assert number not in html
    assert "990000********0001" in html


def test_p12_another_registers_template_is_refused_naming_both(web: Client, world: World, roster: Any) -> None:
    store(CONDITIONS)
    sent = b"".join(web.get("/ledgers/t_conditions/template").streaming_content)
    html = text(upload(web, world, (io.BytesIO(sent), "条件.xlsx")))
    address = str(upload(web, world, (io.BytesIO(sent), "条件.xlsx"))["Location"])
    html = text(web.get(address))
    assert "这个文件不能导入" in html
    assert "办学条件" in html
    assert "学生名册" in html
    assert "取本台账的填报表" in html
    assert not Record.objects.exists()


def test_p12_an_older_template_is_told_with_both_versions_and_gives_drafts(
    web: Client, world: World, roster: Any
) -> None:
    sent = b"".join(web.get("/ledgers/t_roster/template").streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(sent))
    page = kit.data_sheet(book)
    first = kit.head_row(page) + 1
    for number in range(8):
        for name, value in {"code": f"00{number}", "name": f"学生{number}", "class_name": "1班"}.items():
            page.cell(first + number, kit.column_of(page, name)).value = value
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    kept = [one for one in ROSTER.fields if one.name != "class_name"]
    fields = (*kept, Field("dormitory", FieldType.STRING, "宿舍", required=True))
    store(replace(ROSTER, version=2, effective_from=dt.date(2025, 9, 1), fields=fields, dropped=("class_name",)))
    address = str(upload(web, world, (out, "旧表.xlsx"))["Location"])
    html = text(web.get(address))
    for words in ("第 1 版（2020-09-01）", "第 2 版（2025-09-01）", "“班级”", "8 个值没有导入", "存为草稿"):
        assert words in html
    done = confirmed(web, address)
    assert "草稿 8 条" in done
    assert "8 条缺必填项，已存为您的草稿" in done
    assert not Record.objects.exists()


def test_a_preview_of_an_earlier_program_still_shows_its_sentences(web: Client, world: World, settings: Any) -> None:
    address = brought(web, world, [["001", "张三", "1班", "约30"]])
    file = Path(settings.FILES) / ImportBatch.objects.get().preview / "sheet.json"
    file.write_bytes(b'{"format":1,"raw":{}}')
    html = text(web.get(address))
    assert "约30" in html
    assert "还有 1 处有误" in html


def test_a_file_that_is_no_table_says_so_and_stays_on_the_first_step(web: Client, world: World) -> None:
    empty = upload(web, world, (io.BytesIO(b""), "空.xlsx"))
    assert empty.status_code == 400
    assert "是空的" in text(empty)
    none = web.post("/ledgers/t_roster/import", {"unit": world["甲"].pk})
    assert none.status_code == 400
    assert "没有选择文件" in text(none)
    assert not Record.objects.exists()


def test_p05_a_foreign_unit_is_in_no_chooser_and_a_row_of_it_is_marked(world: World, roster: Any) -> None:
    web = signed(world["东学区"])
    html = text(web.get("/ledgers/t_roster/import"))
    units = html[html.index('id="unit"') : html.index("</select>", html.index('id="unit"'))]
    assert re.findall(r">([^<>]+)</option>", units) == ["东镇学区，含下属单位", "东镇甲小学", "东镇乙小学"]
    rows = [["单位代码", *HEADS], ["2199000001", "001", "张三", "1班", 5], ["2199000003", "002", "李四", "1班", 5]]
    address = str(upload(web, world, kit.sheet(rows), unit="东")["Location"])
    html = text(web.get(address))
    assert "无此单位：“2199000003”" in html
    assert "西镇丙小学" not in html
    web.post(f"{address}confirm")
    assert not Record.objects.exists()
    outside = upload(web, world, kit.sheet(rows), unit="丙")
    assert outside.status_code == 404


def test_somebody_elses_import_is_a_missing_one_on_every_address(web: Client, world: World) -> None:
    address = brought(web, world, [["001", "张三", "1班", 5]])
    other = signed(world["甲校长"])
    missing = other.get("/imports/999999/")
    assert missing.status_code == 404
    assert bare(other.get(address)) == bare(missing)
    for verb in ("answer", "fix", "confirm", "undo", "cancel", "marked", "rerun"):
        assert other.post(f"{address}{verb}").status_code == 404
    assert not Record.objects.exists()


def test_who_may_not_fill_gets_no_first_step(world: World, roster: Any) -> None:
    answer = signed(world["督学"]).get("/ledgers/t_roster/import")
    assert answer.status_code == 403
    assert "没有填报的权限" in text(answer)


def test_conflicts_show_both_values_and_a_stale_preview_is_made_anew(web: Client, world: World, roster: Any) -> None:
    bring(world, roster, [["001", "张三", "1班", 5]])
    sent = b"".join(web.get("/ledgers/t_roster/template").streaming_content)
    edit(roster, Record.objects.get(key="001"), world["甲校长"], acting_user=world["甲校长"], points=8)
    book = openpyxl.load_workbook(io.BytesIO(sent))
    page = kit.data_sheet(book)
    page.cell(kit.head_row(page) + 1, kit.column_of(page, "points")).value = 6
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    address = str(upload(web, world, (out, "表.xlsx"))["Location"])
    html = text(web.get(address))
    for words in ("留现在的 8", "用文件中的 6", "要您回答"):
        assert words in html
    key = next(name for name in fields_of(html) if name.startswith("q-"))
    web.post(f"{address}answer", {key: "mine"})
    edit(roster, Record.objects.get(key="001"), world["甲校长"], acting_user=world["甲校长"], points=9)
    told = text(web.post(f"{address}confirm", follow=True))
    assert "重新核对" in told
    assert now_stands(roster)[0]["points"] == 9


def test_several_files_come_in_as_one(web: Client, world: World, roster: Any) -> None:
    one = kit.sheet([HEADS, ["001", "张三", "1班", 5]], "甲.xlsx")
    two = kit.sheet([HEADS, ["002", "李四", "1班", "约5"]], "乙.xlsx")
    address = str(upload(web, world, one, two)["Location"])
    waiting = text(web.get(address))
    assert "正在核对" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    run_waiting_jobs()
    html = text(web.get(address))
    assert "2 个文件" in html
    assert '乙.xlsx 工作表“表”<a href="#c0-D2">D2</a> 积分' in html


def run_waiting_jobs() -> None:
    worker = Worker("test")
    for job in Job.objects.filter(state=Job.State.WAITING):
        worker.run_one(str(job.pk))


def test_p15_an_interrupted_reading_says_how_far_it_came_and_runs_again(web: Client, world: World, roster: Any) -> None:
    batch = do_start_import(
        roster, world["甲"], [kit.sheet([HEADS, ["001", "张三", "1班", 5]])], at_once=False, acting_user=world["甲填报"]
    )
    address = f"/imports/{batch.pk}/"
    job = Job.objects.get(pk=batch.job_id)
    job.state, job.done, job.total = "running", 2000, 5000
    job.save()
    assert "2,000 / 5,000" in text(web.get(address))
    part = web.get(f"{address}?part=progress", headers={"HX-Request": "true"})
    assert "2,000 / 5,000" in text(part)
    assert "<html" not in text(part)
    jobs.finish(job, Job.State.INTERRUPTED, "执行被中断")
    html = text(web.get(address))
    assert "中断" in html
    assert "2,000 / 5,000" in html
    assert "重新执行" in html
    assert web.get(f"{address}?part=progress", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "重新执行" in text(web.get(f"/jobs/{job.pk}/"))
    assert not Record.objects.exists()
    web.post(f"{address}rerun")
    assert Job.objects.get(pk=job.pk).state == "waiting"


def test_jobs_are_ones_own_and_can_be_cancelled(web: Client, world: World, roster: Any) -> None:
    batch = do_start_import(
        roster, world["甲"], [kit.sheet([HEADS, ["001", "张三", "1班", 5]])], at_once=False, acting_user=world["甲填报"]
    )
    address = f"/jobs/{batch.job_id}/"
    assert signed(world["甲校长"]).get(address).status_code == 404
    assert "排队中" in text(web.get(address))
    web.post(address, {"act": "cancel"})
    assert Job.objects.get(pk=batch.job_id).state == "cancelled"
    assert ImportBatch.objects.get(pk=batch.pk).state == "cancelled"
    assert "重新执行" in text(web.get(address))


def test_a_large_preview_is_paged_and_costs_no_more_queries(
    web: Client, world: World, roster: Any, django_assert_max_num_queries: Any
) -> None:
    rows = [[f"{number:04d}", f"学生{number}", "1班", number] for number in range(1500)]
    address = brought(web, world, rows)
    with django_assert_max_num_queries(20):
        html = text(web.get(address))
    assert html.count('<tr><th scope="row">') <= 60
    assert "学生59<" in html
    assert "学生60<" not in html
    assert "学生60<" in text(web.get(f"{address}?page=2"))
    assert len(html) < 150_000
    assert web.get(f"{address}?page=999&kind=none").status_code == 200


def test_giving_up_leaves_nothing(web: Client, world: World) -> None:
    address = brought(web, world, [["001", "张三", "1班", 5]])
    assert "台账一格未动" in text(web.post(f"{address}cancel", follow=True))
    assert web.post(f"{address}confirm").status_code == 400
    assert not Record.objects.exists()
    assert Path(ImportBatch.objects.get().attachment.path).name


def test_after_an_import_into_an_open_round_the_one_filled_button_leads_to_handing_in(world: World) -> None:
    stage = make_stage(world, listing())
    with clock.at(clock.beijing(2025, 10, 20, 10)):
        stage.open(title="2025 年秋季班额台账")
        web = signed(world["甲填报"])
        file = kit.sheet([["班级", "人数"], ["一（1）班", 41]])
        answer = upload(web, world, file, register="classes", period=str(stage.period.pk))
        done = confirmed(web, answer["Location"])
        filled = re.findall(r'<a class="btn btn-primary" href="([^"]*)">([^<]*)</a>', done)
        assert filled == [(f"/filings/{stage.filing('甲').pk}/", "核对后提交")]
        assert "写入台账不等于提交" in done
    with clock.at(clock.beijing(2025, 10, 20, 11)):
        handed = text(web.get(filled[0][0]))
        assert 'form="submit"' in handed


def test_a_formula_without_a_result_offers_an_empty_cell_and_not_our_mark(
    web: Client, world: World, roster: Any
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in ([*HEADS], ["001", "张三", "1班", "=2+3"]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    answer = upload(web, world, (out, "公式.xlsx"))
    page = text(web.get(answer["Location"]))
    assert "公式没有存下计算结果" in page
    cells = {name: value for name, value in fields_of(page).items() if name.startswith("cell-")}
    assert [(name.rpartition("|")[2], value) for name, value in cells.items()] == [("D2", "")]
    assert "\0" not in page
    assert "formula" not in page
