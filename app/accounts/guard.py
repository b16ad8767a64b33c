"""Who is calling: the one place that turns a proof into a `Caller`.

An action open to the public asks for no proof. Otherwise the proof is, in this order: a bearer token (or the
web faces' cookie), or the signature of an app key; without one the caller is the public.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request

from app.accounts import keys, policy, queries, signing, tokens
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Unauthorized
from app.core.http import MUTATING, Caller

IDLE = timedelta(hours=8)
"""A desk that nobody has touched for a whole shift is signed out."""
ABSOLUTE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
COOKIE = "__Host-nuanxian"

PATIENCE_S = 0.15
_DEVICE_KEYS = "accounts.device_keys"

NOBODY = Caller(kind=policy.PUBLIC, id="public", name="公众")


class AccountsGuard:
    """The `Guard` of the product."""

    async def identify(self, tx: Tx, request: Request, body: bytes, action: str) -> Caller:
        """The caller, by the proof the request brings. Raises Unauthorized for a proof that does not hold."""
        if (anybody := self.anybody(action)) is not None:
            return anybody
        token = _bearer(request)
        if token is not None:
            return await _by_token(tx, token)
        if "x-app-key" in request.headers:
            return await _by_signature(tx, request, body)
        return NOBODY

    def anybody(self, action: str) -> Caller | None:
        """The public, where the table lets it in; None where a proof is asked for."""
        return NOBODY if policy.PUBLIC in policy.ACTIONS.get(action, ()) else None

    def authorise(self, caller: Caller, action: str) -> None:
        """Raises Forbidden, or Unauthorized when nobody has signed in."""
        policy.decide(caller, action)

    def knows(self, action: str) -> bool:
        return action in policy.ACTIONS


async def device_keys(database: Database) -> dict[str, Any]:
    """The living keys of makers, by name, their secrets sealed; while the database is away, those of before."""

    async def load() -> dict[str, Any]:
        async with database.transaction() as tx:
            return {row["key"]: row for row in await queries.device_keys(tx)}

    return await database.cache.last_known(_DEVICE_KEYS, load, PATIENCE_S)


async def remembered_device(database: Database, request: Request, body: bytes) -> Caller:
    """Whose device key has signed this, while the database is away: only for a door where the same message twice
    changes nothing, for nobody can say whether the nonce is new. Raises Unauthorized."""
    proof = _Proof.of(request, body)
    row = (await device_keys(database)).get(proof.key)
    proof.check(database, row)
    return _keyholder(proof.key, "device", row)


async def _by_token(tx: Tx, token: str) -> Caller:
    if token.startswith(tokens.STAFF):
        return await _staff(tx, tokens.hash_of(token))
    if token.startswith(tokens.FAMILY):
        return await _family(tx, tokens.hash_of(token))
    if token.startswith(tokens.CAREGIVER):
        return await _caregiver(tx, tokens.hash_of(token))
    raise _session_unknown()


async def _staff(tx: Tx, token_hash: bytes) -> Caller:
    now = clock.now()
    row = await queries.staff_caller(tx, token_hash, now, now - IDLE)
    if row is None:
        raise _session_unknown()
    if now - row["last_seen_at"] >= TOUCH_EVERY:
        await queries.touch_session(tx, token_hash, now)
    return Caller(
        kind=policy.STAFF,
        id=str(row["id"]),
        name=row["name"],
        roles=frozenset(row["roles"]),
        divisions=tuple(row["divisions"]),
        facts={"session": token_hash},
    )


async def _family(tx: Tx, token_hash: bytes) -> Caller:
    row = await queries.family_caller(tx, token_hash, clock.now())
    if row is None:
        raise _session_unknown()
    phone_index = bytes(row["phone_index"])
    facts = {"session": token_hash, "phone_index": phone_index}
    return Caller(kind=policy.FAMILY, id=phone_index.hex(), name="家属", facts=facts)


async def _caregiver(tx: Tx, token_hash: bytes) -> Caller:
    row = await queries.caregiver_caller(tx, token_hash, clock.now())
    if row is None:
        raise _session_unknown()
    return Caller(
        kind=policy.CAREGIVER,
        id=str(row["caregiver_id"]),
        name=row["name"],
        provider_id=row["provider_id"],
        facts={"session": token_hash, "caregiver_id": row["caregiver_id"], "device_key": row["device_key"]},
    )


async def _by_signature(tx: Tx, request: Request, body: bytes) -> Caller:
    proof = _Proof.of(request, body)
    row = await queries.app_caller(tx, proof.key, proof.nonce, clock.now())
    proof.check(tx, row)
    if not row["fresh"]:
        raise Unauthorized("nonce_reused", "this nonce was used before: sign every request anew")
    return _keyholder(proof.key, row["kind"], row, row["provider_id"])


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a signed request brings, in time and well formed."""

    key: str
    nonce: str
    signature: str
    text: bytes

    @classmethod
    def of(cls, request: Request, body: bytes) -> _Proof:
        """Raises Unauthorized."""
        key, nonce = request.headers.get("x-app-key", ""), request.headers.get("x-nonce", "")
        timestamp, given = request.headers.get("x-timestamp", ""), request.headers.get("x-signature", "")
        if not signing.NONCE.fullmatch(nonce):
            raise Unauthorized("nonce_malformed", "X-Nonce takes 8 to 128 of A-Z a-z 0-9 . _ ~ -")
        if not signing.is_timely(timestamp, clock.now()):
            raise Unauthorized("timestamp_out_of_window", "X-Timestamp must be within 300 s of our clock")
        path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").split("?", 1)[0]
        query = request.scope["query_string"].decode("latin-1")
        return cls(key, nonce, given, signing.signed_text(request.method, path, query, body, timestamp, nonce))

    def check(self, source: Tx | Database, row: Any) -> None:
        """`row`: the key's, None for an unknown one. Raises Unauthorized."""
        secrets = [""] if row is None else keys.opened(source, self.key, row["secrets"])
        if not signing.is_signed_by(secrets, self.text, self.signature) or row is None:
            raise Unauthorized("signature_wrong", "the key is unknown or the signature does not fit this request")


def _keyholder(key: str, kind: str, row: Any, provider_id: UUID | None = None) -> Caller:
    return Caller(
        kind=kind,
        id=key if provider_id is None else str(provider_id),
        name=row["name"],
        provider_id=provider_id,
        facts={"app_key": key, "vendors": row["vendors"] or ()},
    )


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and request.method in MUTATING and not _is_same_origin(request):
        raise Unauthorized("cross_site", "a page of another site may not act for you")
    return cookie


def _is_same_origin(request: Request) -> bool:
    """Browsers send the cookie with other sites' forms too; what they say about the origin decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def _session_unknown() -> Unauthorized:
    return Unauthorized("session_unknown", "this session has ended or never was: sign in again")
