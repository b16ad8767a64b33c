"""Our accounts at WeChat Pay. Their keys are sealed in the database and known to a process for some seconds, so that
a notice is verified without asking the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.accounts import audit
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.sqlstate import constraint_of
from app.regions.divisions import lineage
from app.selfpay import queries, signatures
from app.selfpay.signatures import Merchant

_API_KEY, _PRIVATE_KEY = "wechatpay_merchant.api_key", "wechatpay_merchant.private_key"
CACHED = "selfpay.merchants"
PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be put on record of a merchant. PEM for keys; `platform_keys` is `{serial: PEM}`."""

    division_code: str
    mchid: str
    appid: str
    api_key: str = field(repr=False)
    private_key: str = field(repr=False)
    private_serial: str
    platform_keys: Mapping[str, str] = field(repr=False)
    active: bool = True


async def named(database: Database, name: str) -> Merchant:
    """Raises NotFound for any other name, without asking the database each time.

    While the database is away, the keys of before are the keys.
    """
    known = await database.cache.last_known(CACHED, lambda: _load(database), PATIENCE_S)
    if name not in known:
        raise NotFound("wechatpay_merchant_not_found")
    return known[name]


async def name_for(tx: Tx, division_code: str) -> str:
    """Whose account takes the money of this division. Raises Conflict where nobody's does."""
    in_use = {row.division_code: row.merchant for row in await queries.merchants(tx) if row.active}
    for code in lineage(division_code):
        if code in in_use:
            return str(in_use[code])
    raise Conflict("online_payment_unavailable", "nothing is paid online here; the family pays at the door")


async def put(tx: Tx, caller: Caller, name: str, terms: Terms) -> None:
    """Add a merchant or change its keys. Raises Invalid for keys that are none, Conflict where another one stands.

    A merchant with payments keeps its mchid and appid: notices of those payments name them.
    """
    _check_keys(terms)
    before = await queries.merchant(tx, name)
    moved = before is not None and (before.mchid, before.appid) != (terms.mchid, terms.appid)
    if moved and await queries.has_payments(tx, name):
        raise Conflict("merchant_has_payments", "payments were made under this mchid and appid: add another merchant")
    values = {
        "division_code": terms.division_code,
        "mchid": terms.mchid,
        "appid": terms.appid,
        "api_key": tx.vault.seal(_API_KEY, name, terms.api_key),
        "private_key": tx.vault.seal(_PRIVATE_KEY, name, terms.private_key),
        "private_serial": terms.private_serial,
        "platform_keys": dict(terms.platform_keys),
        "active": terms.active,
        "updated_at": clock.now(),
    }
    try:
        await queries.put_merchant(tx, name, values)
    except Exception as failure:
        if constraint_of(failure) != "uq_wechatpay_merchant_division":
            raise
        raise Conflict("division_has_merchant", "another merchant is active for this division") from failure
    await audit.record(tx, caller, "wechatpay_merchant.put", "wechatpay_merchant", name, sorted(values))
    tx.cache.clear()


def _check_keys(terms: Terms) -> None:
    if len(terms.api_key.encode()) != 32:
        raise Invalid("api_key_malformed", "an APIv3 key has 32 characters", field="api_key")
    try:
        signatures.private_key(terms.private_key)
    except ValueError as broken:
        raise Invalid("private_key_malformed", str(broken), field="private_key") from broken
    for pem in terms.platform_keys.values():
        try:
            signatures.public_key(pem)
        except ValueError as broken:
            raise Invalid("platform_key_malformed", str(broken), field="platform_keys") from broken


async def _load(database: Database) -> dict[str, Merchant]:
    async with database.transaction() as tx:
        return {
            row.merchant: Merchant(
                row.merchant,
                row.mchid,
                row.appid,
                row.private_serial,
                tx.vault.open(_API_KEY, row.merchant, row.api_key).encode(),
                signatures.private_key(tx.vault.open(_PRIVATE_KEY, row.merchant, row.private_key)),
                {serial: signatures.public_key(pem) for serial, pem in row.platform_keys.items()},
            )
            for row in await queries.merchants(tx)
        }
