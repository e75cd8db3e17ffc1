"""Writing second factors: lay one out, confirm it, check a code at the sign-in, new recovery codes, take it off."""

from __future__ import annotations

from jiaoheng.bureau.core import audit, clock, signed_in, tallies
from jiaoheng.bureau.core import second_factor as codes
from jiaoheng.bureau.core.granting import check_managing
from jiaoheng.bureau.core.models import Account, RecoveryCode, SecondFactor
from jiaoheng.bureau.core.refusals import RefusedError

WRONG = "验证码不对或已用过，请等手机上换了新的 6 位数字再输；手机时间要与网络一致"
_WINDOW, _MOST = 900, 5  # wrong codes of one account in 15 minutes


def prepare(account: Account) -> SecondFactor:
    """The factor to be confirmed: the same one until it is, so that a reloaded page does not void the scanned code.

    Raises RefusedError where the account has a confirmed one.
    """
    found, _ = SecondFactor.objects.get_or_create(
        account=account, defaults={"secret": codes.new_secret(), "created_at": clock.now()}
    )
    if found.confirmed_at is not None:
        raise RefusedError("factor-there", "已设置二次验证。换手机请先输入现在的验证码或恢复码")
    return found


def confirm(code: str, account: Account) -> list[str]:
    """Confirm with the first right code; the recovery codes, to be shown this once. Raises RefusedError, TooOftenError."""
    _check_tries(account)  # outside the action: a wrong code takes the action back, and must be counted all the same
    made = do_confirm_factor(code, acting_user=account)
    tallies.forget(_name(account))
    return made


@audit.action
def do_confirm_factor(code: str, *, acting_user: Account) -> list[str]:
    """See `confirm`."""
    factor = prepare(acting_user)
    if not codes.take_code(factor, code):
        raise RefusedError("factor-wrong", WRONG, places={"code": WRONG})
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=clock.now())
    made = _new_codes(factor)
    _note("factor.add", acting_user, acting_user)
    return made


def check_code(account: Account, code: str) -> str:
    """Check what was typed at the sign-in: "code" or "recovery". Raises RefusedError (wrong), TooOftenError."""
    factor = codes.factor_of(account)
    if factor is None:
        raise RefusedError("factor-none", "还没有设置二次验证")
    _check_tries(account)
    if codes.take_code(factor, code):
        tallies.forget(_name(account))
        return "code"
    if codes.take_recovery(factor, code):
        tallies.forget(_name(account))
        _note("factor.recovery", account, account)
        return "recovery"
    _note("factor.failed", None, account)
    raise RefusedError("factor-wrong", WRONG, places={"code": WRONG})


@audit.action
def do_new_codes(*, acting_user: Account) -> list[str]:
    """Ten new recovery codes, the old ones are void; the page asks for a code first (`check_code`)."""
    factor = codes.factor_of(acting_user)
    if factor is None:
        raise RefusedError("factor-none", "还没有设置二次验证")
    made = _new_codes(factor)
    _note("factor.codes", acting_user, acting_user)
    return made


@audit.action
def do_drop_own_factor(*, acting_user: Account) -> None:
    """Take one's own factor off, for a new phone: where it is required, the next page asks to set it up anew.

    The page asks for a code first (`check_code`).
    """
    _drop(acting_user)
    _note("factor.drop", acting_user, acting_user)


@audit.action
def do_reset_factor(account: Account, *, acting_user: Account | None, reason: str) -> None:
    """For somebody who lost phone and recovery codes: off, signed out everywhere; his next sign-in sets it up anew.

    Raises RefusedError (no reason, oneself, nothing to take off), ForbiddenError.
    """
    if not reason.strip():
        told = "请写原因：怎样核实了是本人"
        raise RefusedError("reason-missing", told, places={"reason": told})
    if acting_user is not None and acting_user.pk == account.pk:
        raise RefusedError("account-own", "自己的二次验证请在“账号与密码”中办理")
    check_managing(acting_user, account)
    if not SecondFactor.objects.filter(account=account).exists():
        raise RefusedError("factor-none", f"{account.name}没有设置二次验证，无需解除")
    _drop(account)
    signed_in.end_all(account)
    tallies.forget(_name(account))
    _note("factor.reset", acting_user, account, reason)


def _check_tries(account: Account) -> None:
    told = f"验证码连续输错 {_MOST} 次，请 {{wait}}后再试；手机丢失请用恢复码，或请管理员解除二次验证"
    tallies.check_often(_name(account), _WINDOW, _MOST, told)


def _name(account: Account) -> str:
    return f"factor/{account.pk}"


def _new_codes(factor: SecondFactor) -> list[str]:
    made = codes.new_codes()
    RecoveryCode.objects.filter(factor=factor).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(factor=factor, hash=codes.hash_of(factor, one)) for one in made])
    return made


def _drop(account: Account) -> None:
    for one in SecondFactor.objects.filter(account=account):
        one.delete()


def _note(action: str, actor: Account | None, account: Account, reason: str = "") -> None:
    about = ("account", account.pk, f"{account.name}（{account.username}）")
    audit.note(action, actor=actor, about=about, unit_id=account.home_id, reason=reason)
