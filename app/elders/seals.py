"""Which fields are sealed under which name, and the blind indexes that find them again."""

from __future__ import annotations

from uuid import UUID

from app.core.crypto import Vault

PHONE = "elder_phone.phone"
PHONE_RAW = "elder_phone.raw"
FAMILY_PHONE = "family_member.phone"
ID_NUMBER = "elder.id_number"
ID_NUMBER_RAW = "elder.id_number_raw"
ADDRESS = "elder.address"
HEALTH_NOTE = "elder.health_note"

LAST4_BYTES = 2


def seal(vault: Vault, field: str, row: UUID, plain: str | None) -> bytes | None:
    """None and the empty text stay None."""
    return vault.seal(field, row, plain) if plain else None


def open_(vault: Vault, field: str, row: UUID, sealed: bytes | None) -> str | None:
    return vault.open(field, row, sealed) if sealed is not None else None


def phone_index(vault: Vault, e164: str) -> bytes:
    return vault.blind("elder_phone.phone", e164)


def family_phone_index(vault: Vault, e164: str) -> bytes:
    return vault.blind("family_member.phone", e164)


def id_number_index(vault: Vault, number: str) -> bytes:
    return vault.blind("elder.id_number", number)


def id_last4_index(vault: Vault, division_code: str, number: str) -> bytes:
    """Truncated to two bytes: with some hundred thousand elders every value fits several of them."""
    return vault.blind("elder.id_last4", f"{division_code[:6]}:{number[-4:]}")[:LAST4_BYTES]


def phone_last4_index(vault: Vault, division_code: str, e164: str) -> bytes:
    return vault.blind("elder_phone.last4", f"{division_code[:6]}:{e164[-4:]}")[:LAST4_BYTES]
