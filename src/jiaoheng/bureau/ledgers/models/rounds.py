"""Collection rounds 填报: who owes what by when, and the way of each filing through its approvals."""

from __future__ import annotations

from django.db import models

from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.models.choices import Labelled
from jiaoheng.bureau.ledgers.models.records import Record
from jiaoheng.bureau.ledgers.models.registers import RegisterRow


class Round(models.Model):
    """One collection: a register for a period, asked of the units that exist on `reference_date`."""

    class Repeats(Labelled):
        NO = "", "不重复"
        MONTH = "month", "每月"
        TERM = "term", "每学期"
        YEAR = "year", "每学年"

    register = models.ForeignKey(RegisterRow, models.PROTECT)
    period = models.ForeignKey(Period, models.PROTECT, null=True)
    title = models.CharField("名称", max_length=100)
    scope_unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    office = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    kinds = models.JSONField(default=list)  # school kinds asked; empty: all
    reference_date = models.DateField("统计时点")
    opens_at = models.DateTimeField("开始时间")
    due_at = models.DateTimeField("截止时间")
    first_due_at = models.DateTimeField(null=True)  # as first announced: what came after it came 延期内 at best
    note = models.CharField("说明", max_length=500, blank=True)
    reminders = models.JSONField(default=list)  # steps in working days and receivers, see rounds/reminders.py
    created_by = models.ForeignKey(Account, models.PROTECT)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    repeats = models.CharField("自动发起下一轮", max_length=6, choices=Repeats.choices(), blank=True, default="")
    # the round that this one goes on from; one to one, so that two workers open one
    follows = models.OneToOneField("self", models.PROTECT, null=True, related_name="next_round")


class Filing(models.Model):
    """What one unit owes in a round. `content` counts the contents submitted; an approval belongs to one of them."""

    class State(Labelled):
        EMPTY = "empty", "未开始"
        DRAFT = "draft", "填报中"
        DISTRICT = "district", "待学区审核"
        COUNTY = "county", "待局审定"
        RETURNED = "returned", "退回待改"
        APPROVED = "approved", "已审定"

    round = models.ForeignKey(Round, models.PROTECT, related_name="filings")
    unit = models.ForeignKey(Unit, models.PROTECT)
    county_id = models.BigIntegerField(null=True)
    district_id = models.BigIntegerField(null=True)
    school_id = models.BigIntegerField(null=True)
    class_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices(), default="empty")
    content = models.PositiveIntegerField(default=0)
    zero_report = models.BooleanField("零报告", default=False)
    submitted_at = models.DateTimeField(null=True)  # received by the server: this decides what is late
    submitted_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    touched_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)  # by an approver: until then the sender may take it back
    extended_to = models.DateTimeField(null=True)  # never earlier than the round's own date in effect
    returned_due_at = models.DateTimeField(null=True)
    approved_content = models.PositiveIntegerField(null=True)
    approved_as_of = models.DateTimeField(null=True)  # the approved figures are the versions of this moment
    version = models.PositiveIntegerField(default=0)  # counts every change of state: two decisions at once meet here
    dropped_on = models.DateField(null=True)  # the unit ended before the round's reference date: owes nothing any more
    dropped_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "unit"], name="filing_once")]
        indexes = [models.Index(fields=["unit", "state"]), models.Index(fields=["round", "state"])]


class FilingStep(models.Model):
    """One step in the life of a filing: submitted, taken back, approved, returned, approval withdrawn."""

    class Kind(Labelled):
        SUBMIT = "submit", "提交"
        RECALL = "recall", "撤回"
        APPROVE = "approve", "通过"
        RETURN = "return", "退回修改"
        WITHDRAW = "withdraw", "撤回审核"

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=10, choices=Kind.choices())
    level = models.CharField(max_length=10)  # school, district, county
    content = models.PositiveIntegerField()
    by = models.ForeignKey(Account, models.PROTECT)
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()
    as_of = models.DateTimeField(null=True)  # the moment whose versions are this content
    reason = models.CharField(max_length=500, blank=True)
    notes = models.JSONField(default=list)  # of a submission: remarks of the checks with the filler's sentences
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["filing", "at"])]


class CellComment(models.Model):
    """A remark of an approver at one cell (or at the whole filing, with no record)."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="comments")
    record = models.ForeignKey(Record, models.PROTECT, null=True)
    field = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=500)
    value = models.JSONField(null=True)  # what stood there
    content = models.PositiveIntegerField()
    by = models.ForeignKey(Account, models.PROTECT)
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)


class RemarkDraft(models.Model):
    """Remarks at cells that an approver has typed and not sent: his alone, and gone once the filing moves on."""

    account = models.ForeignKey(Account, models.CASCADE)
    filing = models.ForeignKey(Filing, models.CASCADE, related_name="remark_drafts")
    cells = models.JSONField(default=dict)  # `record:field` → text
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "filing"], name="remark_draft_once")]


class Extension(models.Model):
    """More time for one unit, with its reason; shown to that unit only."""

    filing = models.ForeignKey(Filing, models.PROTECT, related_name="extensions")
    until = models.DateTimeField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(Account, models.PROTECT)
    at = models.DateTimeField()


class Reminder(models.Model):
    """One reminder step for one receiver, sent or not sent with the reason; unique, so that two workers send one."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="sent_reminders")
    filing = models.ForeignKey(Filing, models.PROTECT, null=True)
    step = models.CharField(max_length=40)
    on = models.DateField()
    receiver = models.ForeignKey(Account, models.PROTECT, null=True)
    outcome = models.CharField(max_length=20)  # sent, no_receiver, filed, missed
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["filing", "step", "on", "receiver"], name="reminder_once"),
            models.UniqueConstraint(
                fields=["filing", "step", "on"], condition=models.Q(receiver__isnull=True), name="reminder_once_unsent"
            ),
        ]
