"""The keys: made once, apart from the data, several beside each other, named where one is missing."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiaoheng.bureau.core import keys, secrets
from jiaoheng.bureau.core.refusals import RefusedError

A, B = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
SEARCH = base64.b64encode(b"s" * 32).decode()


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object) -> Iterator[Path]:
    """A key folder and a data folder of the test's own."""
    settings.DATA = tmp_path / "own"  # type: ignore[attr-defined]
    monkeypatch.delenv("JIAOHENG_DATA_KEYS", raising=False)
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "keys"))
    keys.forget()
    yield tmp_path / "keys"
    keys.forget()


def test_the_file_is_made_once_for_its_owner_alone(own_keys: Path) -> None:
    """0600 in a folder 0700, and the same keys at every start."""
    first = keys.ring()
    path = own_keys / "data-keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(own_keys.stat().st_mode) == 0o700
    keys.forget()
    assert keys.ring() == first
    assert [one.name for one in own_keys.iterdir()] == ["data-keys"]


def test_processes_that_start_together_read_the_same_keys(own_keys: Path) -> None:
    """One makes the file, nobody overwrites it."""
    found = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        keys._make(keys.key_file())
        found.append(keys.key_file().read_text())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_new_key_seals_and_the_old_one_opens(own_keys: Path) -> None:
    """Newest first; a running process takes it up."""
    old = secrets.seal("r/f", "990000201204070001")
    made = keys.add_key()
    assert [one for one, _ in keys.ring().keys] == [made, "k1"]
    assert secrets.key_id_of(secrets.seal("r/f", "x")) == made
    assert secrets.unseal(old) == "990000201204070001"
    assert stat.S_IMODE(keys.key_file().stat().st_mode) == 0o600


def test_lost_keys_are_not_made_anew(own_keys: Path) -> None:
    """They would open nothing, and what is written with them would mix with what nobody can read."""
    old = keys.ring()
    text = keys.key_file().read_text()
    keys.key_file().unlink()
    keys.forget()
    with pytest.raises(keys.KeyMissingError, match="放回原处") as refused:
        keys.ring()
    assert str(own_keys / "data-keys") in str(refused.value)
    assert not keys.key_file().exists()
    keys.key_file().write_text(text)
    assert keys.ring() == old


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a broken value: the sentence says which key to bring back."""
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", f"b:{B},a:{A},search:{SEARCH}")
    sealed = secrets.seal("r/f", "1")
    assert secrets.key_id_of(sealed) == "b"
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", f"a:{A},search:{SEARCH}")
    with pytest.raises(keys.KeyMissingError, match="“b”") as refused:
        secrets.unseal(sealed)
    assert refused.value.key_id == "b"
    assert refused.value.code == "key-missing"


def test_another_key_under_the_same_name_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the key's id."""
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", f"a:{A},search:{SEARCH}")
    sealed = secrets.seal("r/f", "1")
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", f"a:{B},search:{SEARCH}")
    with pytest.raises(secrets.SealBrokenError, match="key a"):
        secrets.unseal(sealed)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"a:{A}", "search"),
        (f"search:{SEARCH}", "没有数据密钥"),
        (f"a:{A},a:{B},search:{SEARCH}", "“a”"),
        (f"a:{A[:-8]},search:{SEARCH}", "第 1 项"),
        (f"a:{A},b:***,search:{SEARCH}", "第 2 项"),
        ("nothing", "第 1 项"),
    ],
)
def test_what_cannot_be_read_as_keys_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    """With the item, and never with the key itself."""
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", text)
    with pytest.raises(keys.KeyMissingError, match=told) as refused:
        keys.ring()
    assert A[:16] not in str(refused.value)


def test_keys_of_the_environment_are_not_written_to_a_file(monkeypatch: pytest.MonkeyPatch, own_keys: Path) -> None:
    """Adding one says what to put there."""
    monkeypatch.setenv("JIAOHENG_DATA_KEYS", f"a:{A},search:{SEARCH}")
    assert keys.apart()
    with pytest.raises(RefusedError, match="JIAOHENG_DATA_KEYS") as refused:
        keys.add_key()
    keys.parse(f"{str(refused.value).rsplit('：', 1)[1]}\nsearch:{SEARCH}", "x")
    assert not own_keys.exists()


def test_keys_beside_the_data_are_told(monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path) -> None:
    """A copy of the data folder would hold what opens it."""
    settings.DATA = tmp_path / "data"  # type: ignore[attr-defined]
    assert keys.apart()
    monkeypatch.delenv("JIAOHENG_KEYS")
    assert keys.folder() == tmp_path / "data" / "keys"
    assert not keys.apart()
    monkeypatch.setenv("JIAOHENG_KEYS", os.path.join(str(tmp_path), "data", "elsewhere"))
    assert not keys.apart()
