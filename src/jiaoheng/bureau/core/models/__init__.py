"""Tables of the app `core`, one module a subject."""

from jiaoheng.bureau.core.models.accounts import Account, Membership
from jiaoheng.bureau.core.models.audit import AuditEntry, AuditHead
from jiaoheng.bureau.core.models.entering import RecoveryCode, SecondFactor, SignedIn, Tally
from jiaoheng.bureau.core.models.files import Attachment
from jiaoheng.bureau.core.models.jobs import Beat, Job
from jiaoheng.bureau.core.models.notices import Notice
from jiaoheng.bureau.core.models.periods import CalendarDay, Period
from jiaoheng.bureau.core.models.search import SearchEntry, SearchGram
from jiaoheng.bureau.core.models.tokens import ApiToken
from jiaoheng.bureau.core.models.units import Unit, UnitEdge, UnitFacts, UnitPath, UnitSuccession

__all__ = [
    "Account",
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "AuditHead",
    "Beat",
    "CalendarDay",
    "Job",
    "Membership",
    "Notice",
    "Period",
    "RecoveryCode",
    "SearchEntry",
    "SearchGram",
    "SecondFactor",
    "SignedIn",
    "Tally",
    "Unit",
    "UnitEdge",
    "UnitFacts",
    "UnitPath",
    "UnitSuccession",
]
