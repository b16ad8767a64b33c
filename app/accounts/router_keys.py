"""Doors for administrators to the keys of outside systems."""

from __future__ import annotations

from app.accounts import keys
from app.accounts.schemas import KeyList, KeyView, NewKeyBody, SecretView
from app.core.http import CallerDep, Router, TxDep, allow

router = Router(tags=["accounts"])


@router.post("/v1/app-keys", status_code=201, response_model=SecretView, summary="Make a key for an outside system")
@allow("keys.manage")
async def create_key(tx: TxDep, caller: CallerDep, body: NewKeyBody) -> SecretView:
    key, secret = await keys.create_key(tx, body.kind, body.name, body.provider_id, vendors=body.vendors, caller=caller)
    return SecretView(key=key, secret=secret)


@router.get("/v1/app-keys", response_model=KeyList, summary="All keys, without their secrets")
@allow("keys.manage")
async def list_keys(tx: TxDep) -> KeyList:
    return KeyList(items=[KeyView(**dict(row)) for row in await keys.all_keys(tx)])


@router.post(
    "/v1/app-keys/{key}/rotation",
    status_code=201,
    response_model=SecretView,
    summary="A new secret; the one before stays good until the next rotation",
)
@allow("keys.manage")
async def rotate_key(tx: TxDep, caller: CallerDep, key: str) -> SecretView:
    return SecretView(key=key, secret=await keys.rotate_key(tx, caller, key))


@router.delete("/v1/app-keys/{key}", status_code=204, summary="Revoke a key at once")
@allow("keys.manage")
async def revoke_key(tx: TxDep, caller: CallerDep, key: str) -> None:
    await keys.revoke_key(tx, caller, key)
