"""An alarm goes by every written way at once: the text message, and WeChat where the relative is bound."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app import wiring
from app.alarms import service, tasks
from app.channels.wechat import accounts
from app.channels.wechat.fields import fields_of
from app.core import clock
from app.core.config import Settings
from app.core.crypto import SealBroken
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.elders.facts import NewFamilyMember
from app.intake import contacts
from app.messaging import service as messaging
from app.messaging import templates
from app.messaging.ways import Way
from tests.alarms.test_alarms import raised
from tests.world.elders import make_elder
from tests.world.intake import AES_KEY
from tests.world.orders import TUESDAY_TEN

BOUND, UNBOUND = "+8613800000001", "+8613800000002"
SAID = "SELECT channel, status, failure FROM outgoing_message WHERE template_code = 'sos_family' ORDER BY channel"


@pytest.fixture
async def incident(clean_database: Database) -> UUID:
    """Of somebody with two relatives, one of whom follows the city's account and has proved this phone there."""
    async with clean_database.transaction() as tx:
        await service.load_default_rules(tx)
        await accounts.put_account(tx, SYSTEM, "jinchang", appid="wx1", token="t", aes_key=AES_KEY, secret="s")
        await accounts.put_template(tx, SYSTEM, "jinchang", "sos_family", template_id="T", way="template", page=None)
        await contacts.bind_sender(tx, "wechat", "jinchang", "oDaughter", BOUND)
        family = (
            NewFamilyMember("曾小芳", "child", BOUND, approved=True),
            NewFamilyMember("曾小明", "child", UNBOUND, approved=True),
        )
        elder = await make_elder(tx, family=family)
        with clock.hold(TUESDAY_TEN):
            return await raised(tx, elder)


async def test_relatives_who_are_bound_are_told_by_wechat_too(incident: UUID, clean_database: Database) -> None:
    """As the worker is wired."""
    (sweep,) = (one for one in wiring.periodic(Settings()) if one.name == "alarms.tell_people")
    with clock.hold(TUESDAY_TEN + timedelta(seconds=60)):
        async with clean_database.transaction() as tx:
            await sweep.task(tx)
            said = await tx.fetch(SAID)
            told = await tx.fetchval("SELECT told FROM incident_step WHERE step = 'family'")
    assert [row["channel"] for row in said] == ["sms", "sms", "wechat"]
    assert {row["status"] for row in said} == {"queued"}
    assert told == 2, "people, not messages"


async def test_where_the_other_ways_cannot_be_read_the_text_message_goes(
    incident: UUID, clean_database: Database
) -> None:
    async def broken(tx: Tx, phone: str, template: str) -> list[Way]:
        raise SealBroken("made with another key")

    with clock.hold(TUESDAY_TEN + timedelta(seconds=60)):
        async with clean_database.transaction() as tx:
            await tasks.tell_people(tx, ways=broken)
            assert [row["channel"] for row in await tx.fetch(SAID)] == ["sms", "sms"]


async def test_the_words_for_wechat_fit_its_fields(tx: Tx) -> None:
    text = await messaging.wording(tx, "sos_family", "wechat", clock.today())
    found, _ = fields_of(templates.render(text, templates.filled({"elder": "欧阳**", "at": "23:59"})))
    assert found["thing3"] == {"value": "尽快联系老人或拨093512349"}
    assert not any("…" in one["value"] for one in found.values()), "nothing is cut off"
    assert set(found) == {"thing1", "time2", "thing3"}
