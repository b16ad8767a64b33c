"""A caregiver's phone: it has a key, signs in, and signs what it sends."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from asyncpg import Range
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.accounts import codes, device_keys
from app.core.db import Tx
from app.core.ids import new_id
from app.providers import service as providers
from tests.world.visits import Assigned, make_assigned_order


class Phone:
    """Signed in as one caregiver."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.token = ""

    @property
    def public_key(self) -> str:
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    def signature(self, method: str, path: str, key: str, body: bytes) -> str:
        signed = self._key.sign(device_keys.signed_text(method, path, key, body), ec.ECDSA(hashes.SHA256()))
        return base64.urlsafe_b64encode(b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(signed))).decode()

    async def post(self, api: httpx.AsyncClient, path: str, body: Any, *, key: str | None = None) -> httpx.Response:
        """JSON, or bytes as they are."""
        key = key or str(uuid4())
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.token}", "Idempotency-Key": key,
            "Content-Type": "image/jpeg" if isinstance(body, bytes) else "application/json",
            "X-Device-Signature": self.signature("POST", path, key, content),
        }  # fmt: skip
        return await api.post(path, content=content, headers=headers)

    async def get(self, api: httpx.AsyncClient, path: str) -> httpx.Response:
        return await api.get(path, headers={"Authorization": f"Bearer {self.token}"})


async def make_phone(tx: Tx, caregiver_id: UUID) -> Phone:
    """A phone on which this caregiver is signed in."""
    phone, who = Phone(), await providers.caregiver(tx, caregiver_id)
    point = device_keys.public_key(phone.public_key)
    phone.token = (await codes.open_caregiver_session(tx, who.id, who.provider_id, who.name, point)).token
    return phone


async def make_booked_order(tx: Tx, *, hours: float = 1, **overrides: Any) -> Assigned:
    """An assigned order with its lead's booking, which begins `hours` after the assignment."""
    made = await make_assigned_order(tx, **overrides)
    begin = made.at + timedelta(hours=hours)
    await tx.run(
        """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
        VALUES ($1, $2, $3, 'lead', 'booked', $4, $5, 60, $6)""",
        new_id(), made.caregiver_id, made.order_id, Range(begin, begin + timedelta(minutes=60)), begin, made.at,
    )  # fmt: skip
    return made
