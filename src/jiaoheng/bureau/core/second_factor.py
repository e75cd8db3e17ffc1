"""The second factor: one-time codes of an app on a phone (TOTP, RFC 6238), who needs them, whether one is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core import signing
from django_otp.oath import TOTP

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Membership, RecoveryCode, SecondFactor
from jiaoheng.bureau.core.tree import holds

STEP, DIGITS, TOLERANCE = 30, 6, 1  # seconds, digits, half minutes that a phone's clock may be off
CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # as on slips: read from paper
_HALF = 5
_SALT = "jiaoheng.remembered-device"


def needs_second_factor(account: Account) -> bool:
    """Whether a password alone does not open the office: a role that sees the county, the system settings, own choice."""
    if not settings.SECOND_FACTOR:
        return False
    if account.is_system_admin or factor_of(account) is not None:
        return True
    roles = [key for key, role in ROLES.items() if role.second_factor]
    return bool(Membership.objects.filter(holds(clock.today()), account=account, role__in=roles).exists())


def factor_of(account: Account) -> SecondFactor | None:
    """The confirmed factor of a person."""
    found: SecondFactor | None = SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).first()
    return found


def new_secret() -> str:
    """160 random bits, base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode("ascii")


def address_of(account: Account, secret: str) -> str:
    """What the QR code holds: the otpauth:// address that every app of one-time codes reads."""
    issuer = "教衡"
    asked = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP})
    return f"otpauth://totp/{quote(issuer)}:{quote(account.username)}?{asked}"


def step_of(factor: SecondFactor, code: str) -> int | None:
    """The half minute whose code this is, None where it is none of now or was taken before."""
    typed = code.strip().replace(" ", "")
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return None
    found = TOTP(base64.b32decode(factor.secret), STEP, 0, DIGITS)
    found.time = clock.now().timestamp()
    if not found.verify(int(typed), TOLERANCE, factor.last_step + 1):
        return None
    return int(found.t())


def take_code(factor: SecondFactor, code: str) -> bool:
    """Whether a one-time code is right; it is used up by that, also for a request at the same moment."""
    step = step_of(factor, code)
    if step is None:
        return False
    return bool(SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step))


def take_recovery(factor: SecondFactor, code: str) -> bool:
    """Whether a recovery code is right and unused; it is used up by that."""
    rows = RecoveryCode.objects.filter(factor=factor, hash=hash_of(factor, code), used_at__isnull=True)
    return bool(rows.update(used_at=clock.now()))


def new_codes() -> list[str]:
    """Recovery codes as they are shown once: k7mq3-w3xtp."""
    return ["-".join("".join(secrets.choice(_LETTERS) for _ in range(_HALF)) for _ in range(2)) for _ in range(CODES)]


def hash_of(factor: SecondFactor, code: str) -> str:
    """The hash that is kept of a recovery code; signs between its halves and capitals do not count."""
    plain = "".join(sign for sign in code.lower() if sign in _LETTERS)
    return hmac.new(factor.secret.encode(), plain.encode(), hashlib.sha256).hexdigest()


def codes_left(factor: SecondFactor) -> int:
    """How many recovery codes are unused."""
    return int(RecoveryCode.objects.filter(factor=factor, used_at__isnull=True).count())


def device_mark(account: Account, factor: SecondFactor) -> str:
    """What a remembered browser keeps: it ends with its days, a new password or a new factor."""
    return signing.dumps([account.pk, _bound(account, factor)], salt=_SALT)


def is_remembered(account: Account, factor: SecondFactor, mark: str) -> bool:
    """Whether a browser's mark is this person's and not over; never where remembering is switched off."""
    days = settings.SECOND_FACTOR_REMEMBER_DAYS
    if not days or not mark:
        return False
    try:
        found = signing.loads(mark, salt=_SALT, max_age=days * 86_400)
    except signing.BadSignature:
        return False
    return bool(found == [account.pk, _bound(account, factor)])


def _bound(account: Account, factor: SecondFactor) -> str:
    return hashlib.sha256(f"{factor.pk}/{factor.secret}/{account.password}".encode()).hexdigest()[:32]
