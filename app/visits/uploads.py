"""Photos, signatures and recordings: what is let in, and where it lies.

A file is judged by its first bytes, never by its name or its declared type, and kept under a random name outside
every folder that is served. The hash of its content goes into the database, so that a photo that turns up on two
visits can be found.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Forbidden, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id, new_secret
from app.visits import queries
from app.visits.schemas import UploadView

MAX_BYTES = 5 * 1024 * 1024
FOLDER = "uploads"


def media_type_of(content: bytes) -> str | None:
    """The type the first bytes prove, or None for anything that is not allowed."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav"
    # An MP3 begins with an ID3 tag or with a frame: eleven set bits, then MPEG version and layer III.
    frame = len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2
    return "audio/mpeg" if content.startswith(b"ID3") or frame else None


async def keep(tx: Tx, caller: Caller, content: bytes, data_dir: Path) -> UploadView:
    """Store a provider's file. Raises Invalid when it is empty, above 5 MiB or of another type."""
    if caller.provider_id is None:
        raise Forbidden("not_a_provider", "only a provider's app sends files")
    if not content:
        raise Invalid("upload_empty", "the body is the file itself")
    if len(content) > MAX_BYTES:
        raise Invalid("upload_too_large", "at most 5 MiB", max_bytes=MAX_BYTES)
    media_type = media_type_of(content)
    if media_type is None:
        raise Invalid("upload_type_not_allowed", "JPEG, PNG, WebP, MP3 or WAV")
    file_name = new_secret(24)
    # Written before the row is committed: a file without a row is litter, a row without a file would be a lie.
    await asyncio.to_thread(_write, data_dir / FOLDER, file_name, content)
    row: dict[str, Any] = {
        "id": new_id(), "provider_id": caller.provider_id, "file_name": file_name, "media_type": media_type,
        "size_bytes": len(content), "sha256": hashlib.sha256(content).digest(), "uploaded_by": caller.actor,
        "created_at": clock.now(),
    }  # fmt: skip
    await queries.add_upload(tx, row)
    return UploadView(upload_id=row["id"], sha256=row["sha256"].hex(), media_type=media_type, size_bytes=len(content))


async def of_provider(tx: Tx, caller: Caller, upload_id: UUID, data_dir: Path) -> tuple[bytes, str]:
    """A provider's own file and its media type. Raises NotFound for anybody else's."""
    row = await queries.upload(tx, upload_id)
    if row is None or row["provider_id"] != caller.provider_id:
        raise NotFound("upload_not_found")
    return await _read(row, data_dir)


async def of_visit(tx: Tx, order_id: UUID, upload_id: UUID, data_dir: Path) -> tuple[bytes, str]:
    """A file that is evidence of this order's visit. Raises NotFound."""
    visit, row = await queries.one(tx, order_id), await queries.upload(tx, upload_id)
    if visit is None or row is None or upload_id not in visit["evidence"]:
        raise NotFound("upload_not_found")
    return await _read(row, data_dir)


async def _read(row: Any, data_dir: Path) -> tuple[bytes, str]:
    try:
        content = await asyncio.to_thread((data_dir / FOLDER / row["file_name"]).read_bytes)
    except FileNotFoundError as gone:
        raise NotFound("upload_file_missing") from gone
    return content, row["media_type"]


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
