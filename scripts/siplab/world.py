"""The service of the laboratory: elders with telephones, an operator, the edge's key."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from benchmarks.town import COMMUNITY, DISTRICT

from app.accounts import keys, tokens
from app.accounts.passwords import hash_now
from app.accounts.queries_staff import open_session
from app.accounts.service import create_staff
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.elders import registration
from app.elders.facts import NewElder, NewPhone
from app.seeds.base import load_base


@dataclass(frozen=True)
class World:
    elders: dict[str, UUID]
    """By the number they call from."""
    operator: str
    """A bearer token."""
    key: tuple[str, str]


async def build(database: Database, elders: int) -> World:
    """An empty city with `elders` in it. Their numbers lie in a block that is not assigned to anybody."""
    found = {}
    async with database.transaction() as tx:
        await load_base(tx)
        key = await keys.create_key(tx, "telephony", "sip lab", None)
        token, now = tokens.new_token(tokens.STAFF), clock.now()
        staff = await create_staff(tx, "lab", "lab", hash_now("not used"), ("operator",), (DISTRICT,), with_otp=False)
        await open_session(tx, tokens.hash_of(token), staff.id, now, clock.day_bounds(clock.today())[1])
        for number in range(elders):
            phone = f"1009{number:07d}"
            new = NewElder(
                name=f"测试老人{number}",
                division_code=COMMUNITY,
                phones=(NewPhone(phone),),
                address=f"测试路 {number} 号",
            )
            found[phone] = (await registration.register(tx, SYSTEM, new)).id
    return World(found, token, key)
