"""Makers of staff, keys and signed requests."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.accounts import keys, service, signing, tokens
from app.accounts.guard import ABSOLUTE
from app.accounts.passwords import hash_now
from app.accounts.queries_staff import open_session
from app.core import clock
from app.core.db import Database, Tx

PASSWORD = "correct horse battery"
_hashes: dict[str, str] = {}


async def make_staff(
    tx: Tx,
    *,
    username: str | None = None,
    name: str = "王敏",
    password: str = PASSWORD,
    roles: Sequence[str] = ("operator",),
    divisions: Sequence[str] = ("620300",),
    with_otp: bool = False,
) -> service.NewStaff:
    """A staff account; the password is `PASSWORD`."""
    # One hash takes a tenth of a second, and the tests need many accounts with the same password.
    password_hash = _hashes.setdefault(password, hash_now(password))
    username = username or f"staff-{secrets.token_hex(4)}"
    return await service.create_staff(tx, username, name, password_hash, roles, divisions, with_otp=with_otp)


async def staff_token(
    database: Database, roles: Sequence[str] = ("operator",), divisions: Sequence[str] = ("620300",)
) -> str:
    """A bearer token of a new staff member, committed."""
    token, now = tokens.new_token(tokens.STAFF), clock.now()
    async with database.transaction() as tx:
        made = await make_staff(tx, roles=roles, divisions=divisions)
        await open_session(tx, tokens.hash_of(token), made.id, now, now + ABSOLUTE)
    return token


async def staff_headers(
    database: Database, roles: Sequence[str] = ("operator",), divisions: Sequence[str] = ("620300",)
) -> dict[str, str]:
    """Headers of a request by a new staff member, with a fresh Idempotency-Key."""
    token = await staff_token(database, roles, divisions)
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


async def make_app_key(
    tx: Tx, *, kind: str = "provider", name: str = "测试企业", provider_id: UUID | None = None
) -> tuple[str, str]:
    """(key, secret) of an outside system."""
    if kind == "provider" and provider_id is None:
        provider_id = uuid4()
    vendors = [name if name.isascii() else "aiqiangua"] if kind == "device" else None
    return await keys.create_key(tx, kind, name, provider_id, vendors=vendors)


def signed_headers(
    key: str,
    secret: str,
    method: str,
    url: str,
    body: bytes = b"",
    *,
    nonce: str | None = None,
    at: int | None = None,
    **more: Any,
) -> dict[str, str]:
    """Headers of a request signed as an outside system signs it; `url` is path and query."""
    parsed = httpx.URL(url)
    path = parsed.raw_path.decode().split("?", 1)[0]
    stamp = int(clock.now().timestamp()) if at is None else at
    headers = signing.sign(
        secret, method, path, parsed.query.decode(), body, stamp, nonce or secrets.token_hex(12), key=key
    )
    return {**headers, "Content-Type": "application/json", **more}
