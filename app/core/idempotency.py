"""Idempotency keys: the row lives in the same transaction as the effect and replays the first answer.

A second request with the same key waits on the unique index until the first has committed, then gets the
first answer again; with another body it is refused. The answer is kept sealed, since it may name people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    """The caller's hold on a key; `first_answer` is set when this is a repetition."""

    digest: bytes
    first_answer: Response | None = None


CLAIM = """INSERT INTO idempotency_key (digest, request_hash, created_at) VALUES ($1, $2, $3)
ON CONFLICT (digest) DO NOTHING RETURNING true"""
KEEP = "UPDATE idempotency_key SET status = $2, answer = $3, headers = $4 WHERE digest = $1"
FIRST = "SELECT request_hash, status, answer, headers FROM idempotency_key WHERE digest = $1"
FORGET = "DELETE FROM idempotency_key WHERE created_at < $1"


async def claim(tx: Tx, actor: str, request: Request, body: bytes) -> Claim:
    """Take the key of this request, or find the first answer. Raises Invalid without or with a reused key."""
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        raise Invalid("idempotency_key_required", "send an Idempotency-Key header, unique per operation")
    if len(key) > MAX_LENGTH or not key.isprintable():
        raise Invalid("idempotency_key_malformed", f"at most {MAX_LENGTH} printable characters")
    path = request.url.path
    digest = hashlib.sha256(f"{actor}\n{request.method}\n{path}\n{key}".encode()).digest()
    request_hash = hashlib.sha256(request.scope["query_string"] + b"\n" + body).digest()
    if await tx.fetchval(CLAIM, digest, request_hash, clock.now()):
        return Claim(digest)
    row = await tx.fetchrow(FIRST, digest)
    if row is None or row["request_hash"] != request_hash:
        raise Invalid("idempotency_key_reused", "this key was used for another request")
    headers = dict(line.split(": ", 1) for line in (row["headers"] or "").splitlines())
    headers["Idempotency-Replayed"] = "true"
    answer = tx.vault.open("idempotency_key.answer", digest.hex(), row["answer"])
    return Claim(digest, Response(answer.encode(), row["status"], headers))


async def keep(tx: Tx, held: Claim, response: Response) -> None:
    """Remember the answer; only success gets here, failures roll the key back with the effect."""
    kept = "\n".join(f"{k}: {v}" for k, v in response.headers.items() if k in {"content-type", "location", "etag"})
    answer = tx.vault.seal("idempotency_key.answer", held.digest.hex(), bytes(response.body).decode())
    await tx.run(KEEP, held.digest, response.status_code, answer, kept)


async def forget_old(tx: Tx) -> int:
    """Drop keys older than KEPT_FOR."""
    return await tx.run(FORGET, clock.now() - KEPT_FOR)
