"""Idempotency keys: the row lives in the same transaction as the effect and replays the first answer.

The row is written last, in one statement. A second request with the same key does its work, finds the key taken
(after waiting for whoever holds it), undoes its work and gets the first answer; with another body it is refused.
So the common case costs one statement, and only a repetition pays for being one. The answer is kept sealed,
since it may name people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg import UniqueViolationError
from fastapi import Request, Response
from sqlalchemy import Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.db import Base, Tx
from app.core.errors import Invalid

KEPT_FOR = timedelta(days=35)
MAX_LENGTH = 255


class IdempotencyKey(Base):
    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "created_at"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """SHA-256 of caller, method, path and key."""
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request asks to be remembered under, and what it asked for."""

    digest: bytes
    request_hash: bytes


KEEP = """INSERT INTO idempotency_key (digest, request_hash, status, answer, headers, created_at)
VALUES ($1, $2, $3, $4, $5, $6)"""
FIRST = "SELECT request_hash, status, answer, headers FROM idempotency_key WHERE digest = $1"
FORGET = "DELETE FROM idempotency_key WHERE created_at < $1"


def claim_of(actor: str, request: Request, body: bytes) -> Claim:
    """The claim of this request. Raises Invalid without a usable key."""
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        raise Invalid("idempotency_key_required", "send an Idempotency-Key header, unique per operation")
    if len(key) > MAX_LENGTH or not key.isprintable():
        raise Invalid("idempotency_key_malformed", f"at most {MAX_LENGTH} printable characters")
    digest = hashlib.sha256(f"{actor}\n{request.method}\n{request.url.path}\n{key}".encode()).digest()
    return Claim(digest, hashlib.sha256(request.scope["query_string"] + b"\n" + body).digest())


async def keep(tx: Tx, claim: Claim, response: Response) -> bool:
    """Remember the answer with its effect; False when the key is taken: then nothing of the effect can stand.

    Waits for whoever is using the same key at this moment. A taken key fails the statement as a whole, since that
    may be all there is of the transaction.
    """
    kept = "\n".join(f"{k}: {v}" for k, v in response.headers.items() if k in {"content-type", "location", "etag"})
    answer = tx.vault.seal("idempotency_key.answer", claim.digest.hex(), bytes(response.body).decode())
    values = (claim.digest, claim.request_hash, response.status_code, answer, kept, clock.now())
    try:
        await tx.last("idempotency_key", KEEP, *values)
    except UniqueViolationError as taken:
        if taken.constraint_name != "pk_idempotency_key":
            raise
        return False
    return True


async def first_answer(tx: Tx, claim: Claim) -> Response | None:
    """What the first request under this key was answered. Raises Invalid when that asked for something else."""
    row = await tx.fetchrow(FIRST, claim.digest)
    if row is None:
        return None
    if row["request_hash"] != claim.request_hash:
        raise Invalid("idempotency_key_reused", "this key was used for another request")
    headers = dict(line.split(": ", 1) for line in (row["headers"] or "").splitlines())
    headers["Idempotency-Replayed"] = "true"
    answer = tx.vault.open("idempotency_key.answer", claim.digest.hex(), row["answer"])
    return Response(answer.encode(), row["status"], headers)


async def forget_old(tx: Tx) -> int:
    """Drop keys older than KEPT_FOR."""
    return await tx.run(FORGET, clock.now() - KEPT_FOR)
