"""Sealed values: open where they belong and nowhere else; hashes that say nothing without the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.bureau.core import keys, secrets
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Field, FieldType, Sensitive
from jiaoheng.registers.sealed import Sealed

VALUES = st.one_of(st.text(), st.integers(-(2**53), 2**53), st.booleans(), st.lists(st.text(), max_size=4))
NUMBER = "990000201204070001"


@given(VALUES)
def test_what_was_sealed_comes_out_as_it_was(value: Any) -> None:
    """Texts, numbers, lists, of their own types."""
    found = secrets.unseal(secrets.seal("r/f", value))
    assert found == value
    assert type(found) is type(value)


def test_equal_values_look_different() -> None:
    """A nonce each: who reads the disk cannot see who has the same."""
    made = secrets.seal_many("r/f", [NUMBER] * 50)
    assert len(set(made)) == 50
    assert not any(NUMBER in one for one in made)


def test_a_value_that_was_moved_does_not_open() -> None:
    """Place and key id are bound to it: renamed, exchanged or shortened it is refused."""
    sealed = secrets.seal("pupils/id_number", NUMBER)
    key_id, place, body = sealed.split(":")
    for changed in (
        f"{key_id}:pupils/name:{body}",
        f"{key_id}:teachers/id_number:{body}",
        f"{key_id}:{place}:{body[:-8]}",
        f"{key_id}:{place}:{body[:20]}{'B' if body[20] == 'A' else 'A'}{body[21:]}",
        f"{key_id}:{place}:",
    ):
        with pytest.raises(secrets.SealBrokenError):
            secrets.unseal(changed)
    with pytest.raises(secrets.SealBrokenError):
        secrets.unseal_at("pupils/name", sealed)
    assert secrets.unseal_at("pupils/id_number", sealed) == NUMBER


@given(st.text(min_size=1), st.text())
def test_the_hash_is_hmac_sha256(domain: str, value: str) -> None:
    """Compared with the library's own."""
    told = hmac.new(keys.ring().search, domain.encode() + b"\0" + value.encode(), hashlib.sha256).digest()[:16]
    made = secrets.digest_of(domain, value)
    assert bytes.fromhex(made) == told
    assert secrets.digest_number(made) == int.from_bytes(told[:8], "big") - 2**63


@given(st.lists(st.text()))
def test_many_hashes_have_the_numbers_of_each(values: list[str]) -> None:
    """The columns of an import are numbered at once."""
    made = [secrets.digest_of("r", value) for value in values]
    assert secrets.digest_numbers(made) == [secrets.digest_number(one) for one in made]


@given(st.binary())
def test_a_part_of_a_file_opens_where_it_belongs(data: bytes) -> None:
    """Any bytes come out as they were; of another place, cut or changed they are refused."""
    block = secrets.seal_block("imports/preview", data)
    assert secrets.unseal_block("imports/preview", block) == data
    for place, changed in (
        ("imports/lines", block),
        ("imports/preview", block[:-1]),
        ("imports/preview", block[:-1] + bytes([block[-1] ^ 1])),
        ("imports/preview", b""),
    ):
        with pytest.raises(secrets.SealBrokenError):
            secrets.unseal_block(place, changed)


def test_the_search_key_is_not_the_stored_secret() -> None:
    """It is derived (HKDF), so that hashes and values share no key."""
    raw = dict(line.split(":") for line in keys.key_file().read_text().split())
    assert base64.b64decode(raw["search"]) != keys.ring().search
    assert len(keys.ring().search) == 32


def test_a_sealed_value_reads_as_its_mask_and_equals_its_value() -> None:
    """Whoever forgets that it is protected shows the mask; comparing still works."""
    mask = "990000********0001"
    one = Sealed(mask, secrets.seal("r/f", NUMBER), secrets.digest_of("r/id", NUMBER))
    again = Sealed(mask, secrets.seal("r/f", NUMBER))
    twin = Sealed(mask, secrets.seal("r/f", "990000201305080001"))  # another number with the same mask
    assert str(one) == f"{one}" == mask_field(one, Field("f", FieldType.STRING, "", sensitive=Sensitive.ID_NUMBER))
    assert one == again
    assert one == NUMBER
    assert one == NUMBER
    assert one != twin
    assert one != mask
    assert {NUMBER: 1}[one] == 1
    assert NUMBER not in repr([one, one.stored])
    assert Sealed.of(one.stored) == one


def test_files_are_bound_to_their_place_too() -> None:
    """A preview's line opens as a preview's line."""
    line = secrets.seal_bytes("imports/preview", b"[1, 2]")
    assert b"\n" not in line
    assert secrets.unseal_bytes("imports/preview", line + b"\n") == b"[1, 2]"
    with pytest.raises(secrets.SealBrokenError):
        secrets.unseal_bytes("imports/lines", line)
