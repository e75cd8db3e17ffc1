"""How often is too often: counts per window of time in the database, so that they hold over all processes."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Tally
from jiaoheng.bureau.core.refusals import RefusedError

_KEPT = 2 * 86_400  # seconds that a window stays after its end


class TooOftenError(RefusedError):
    """Something limited was asked for too often: 429. `wait`: seconds until it is open again."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__("too-often", message)
        self.wait = wait


def count_one(name: str, seconds: int, most: int) -> int:
    """Count one more; 0 while there are at most `most` in this window, else the seconds until the next one begins."""
    moment = int(clock.now().timestamp())
    window = moment - moment % seconds
    rows = Tally.objects.filter(name=name[:80], window=window)
    if not rows.update(count=F("count") + 1):
        try:
            with transaction.atomic():
                Tally.objects.create(name=name[:80], window=window, count=1)
        except IntegrityError:  # another process opened the window at the same moment
            rows.update(count=F("count") + 1)
    counted = rows.values_list("count", flat=True).first() or 0
    return 0 if counted <= most else window + seconds - moment


def check_often(name: str, seconds: int, most: int, told: str) -> None:
    """Count one more. Raises TooOftenError with `told` (a place {wait} in it says for how long)."""
    wait = count_one(name, seconds, most)
    if wait:
        raise TooOftenError(told.format(wait=words_of(wait)), wait)


def waiting(name: str, seconds: int, most: int) -> int:
    """As `count_one`, without counting: the seconds to wait where there were `most` in this window."""
    moment = int(clock.now().timestamp())
    window = moment - moment % seconds
    full = Tally.objects.filter(name=name[:80], window=window, count__gte=most).exists()
    return window + seconds - moment if full else 0


def forget(name: str) -> None:
    """Begin anew."""
    Tally.objects.filter(name=name[:80]).delete()


def sweep() -> int:
    """Remove windows that are long over (a window is at most a day); how many."""
    return int(Tally.objects.filter(window__lt=int(clock.now().timestamp()) - _KEPT).delete()[0])


def words_of(seconds: int) -> str:
    """40 秒, 3 分钟."""
    return f"{seconds} 秒" if seconds < 60 else f"{-(-seconds // 60)} 分钟"
