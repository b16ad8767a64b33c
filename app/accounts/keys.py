"""Keys of outside systems: made, rotated without a gap, revoked. Signing itself is in `signing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.accounts import audit, queries
from app.accounts.signing import sign
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.core.ids import new_secret

__all__ = ["KINDS", "all_keys", "create_key", "opened", "revoke_key", "rotate_key", "sign"]

KINDS = ("provider", "telephony", "device", "app")
LIVE_SECRETS = 2


async def create_key(
    tx: Tx,
    kind: str,
    name: str,
    provider_id: UUID | None = None,
    *,
    vendors: Sequence[str] | None = None,
    caller: Caller = SYSTEM,
) -> tuple[str, str]:
    """A new key and its secret, which is shown this once. `vendors`: the makers whose devices a device key speaks
    for. Raises Invalid for a kind that does not fit."""
    if kind not in KINDS:
        raise Invalid("key_kind_unknown", f"one of {', '.join(KINDS)}", field="kind")
    if (kind == "provider") != (provider_id is not None):
        raise Invalid(
            "key_provider_mismatch", "a provider's key, and no other, names its provider", field="provider_id"
        )
    if (kind == "device") != bool(vendors):
        raise Invalid("key_vendors_mismatch", "a device key, and no other, names its makers", field="vendors")
    key, secret = f"{kind[:2]}_{new_secret(12)}", new_secret()
    await queries.add_key(tx, key, kind, provider_id, vendors, name, _sealed(tx, key, [secret]), clock.now())
    await audit.record(tx, caller, "keys.create", "app_key", key, fields=(kind,))
    return key, secret


async def rotate_key(tx: Tx, caller: Caller, key: str) -> str:
    """A second secret; the one before stays good until the next rotation. Raises NotFound."""
    sealed = await queries.locked_secrets(tx, key)
    if sealed is None:
        raise NotFound("key_unknown", "no active key of this name")
    secret = new_secret()
    live = [secret, *opened(tx, key, sealed)][:LIVE_SECRETS]
    await queries.replace_secrets(tx, key, _sealed(tx, key, live), clock.now())
    await audit.record(tx, caller, "keys.rotate", "app_key", key)
    return secret


async def revoke_key(tx: Tx, caller: Caller, key: str) -> None:
    """From now on the key opens nothing. Raises NotFound."""
    if not await queries.revoke_key(tx, key):
        raise NotFound("key_unknown", "no active key of this name")
    await audit.record(tx, caller, "keys.revoke", "app_key", key)


async def all_keys(tx: Tx) -> list[Any]:
    """Every key without its secrets, oldest first."""
    return await queries.keys(tx)


def opened(source: Tx | Database, key: str, sealed: bytes) -> list[str]:
    """The live secrets, newest first. Opening takes 10 µs, so they are never kept in memory."""
    return source.vault.open("app_key.secrets", key, sealed).split("\n")


def _sealed(tx: Tx, key: str, secrets: list[str]) -> bytes:
    return tx.vault.seal("app_key.secrets", key, "\n".join(secrets))
