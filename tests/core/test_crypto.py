"""Sealed values open in their place only; blind indexes are equal for equal values only."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import SealBroken, Suite, Vault

OLD, NEW = b"o" * 32, b"n" * 32
SUITES = list(Suite)


@pytest.mark.parametrize("suite", SUITES)
@given(plain=st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_what_is_sealed_opens(suite: Suite, plain: str) -> None:
    vault, row = Vault({1: OLD}, suite), uuid4()
    sealed = vault.seal("elder.address", row, plain)
    assert vault.open("elder.address", row, sealed) == plain
    assert sealed[:2] == bytes((suite, 1))
    assert not plain.encode() or len(plain) < 3 or plain.encode() not in sealed


@pytest.mark.parametrize("suite", SUITES)
def test_a_value_that_moved_stays_shut(suite: Suite) -> None:
    vault, one, other = Vault({1: OLD}, suite), uuid4(), uuid4()
    sealed = vault.seal("elder.phone", one, "+8613893512345")
    for field, row in (("elder.phone", other), ("elder.address", one), ("caregiver.phone", one)):
        with pytest.raises(SealBroken):
            vault.open(field, row, sealed)


@pytest.mark.parametrize("suite", SUITES)
def test_a_value_that_was_altered_stays_shut(suite: Suite) -> None:
    vault, row = Vault({1: OLD}, suite), uuid4()
    sealed = vault.seal("a.b", row, "王秀兰")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            vault.open("a.b", row, bytes(changed))
    for short in (b"", sealed[:29], sealed[:-1]):
        with pytest.raises(SealBroken):
            vault.open("a.b", row, short)


def test_keys_rotate() -> None:
    before, after, row = Vault({1: OLD}), Vault({1: OLD, 2: NEW}), uuid4()
    old = before.seal("a.b", row, "x")
    assert after.open("a.b", row, old) == "x"
    new = after.seal("a.b", row, "x")
    assert (old[1], new[1]) == (1, 2)
    assert after.open("a.b", row, memoryview(new)) == "x"  # type: ignore[arg-type]
    with pytest.raises(SealBroken):
        before.open("a.b", row, new)
    assert before.blind("phone", "1") == after.blind("phone", "1")


def test_suites_read_each_other() -> None:
    row = uuid4()
    sealed = Vault({1: OLD}, Suite.AES256_SHA256).seal("a.b", row, "x")
    assert Vault({1: OLD}, Suite.SM4_SM3).open("a.b", row, sealed) == "x"


@pytest.mark.parametrize("suite", SUITES)
def test_blind_indexes(suite: Suite) -> None:
    vault = Vault({1: OLD}, suite)
    index = vault.blind("elder.phone", "+8613893512345")
    assert len(index) == 16
    assert index == vault.blind("elder.phone", "+8613893512345")
    assert index != vault.blind("elder.phone", "+8613893512346")
    assert index != vault.blind("caregiver.phone", "+8613893512345")
    assert index != Vault({1: NEW}, suite).blind("elder.phone", "+8613893512345")


def test_the_same_value_is_never_sealed_alike() -> None:
    vault, row = Vault({1: OLD}), uuid4()
    assert len({vault.seal("a.b", row, "x") for _ in range(100)}) == 100


def test_keys_for_purposes_differ() -> None:
    vault = Vault({1: OLD})
    assert len({vault.key_for("links"), vault.key_for("cursors"), OLD}) == 3


def test_a_vault_needs_a_key() -> None:
    for keys in ({}, {1: b"short"}):
        with pytest.raises(ValueError, match="master key"):
            Vault(keys)
