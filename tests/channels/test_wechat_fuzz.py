"""Rightly protected nonsense: whatever a verified push holds, the door takes it and the worker gets through it."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.channels.wechat import events, replies
from app.channels.wechat.crypto import Keys
from app.core.db import Database
from tests.channels.test_wechat_door import work_off
from tests.world.intake import make_wechat_account, wechat_push

PATH = "/channels/wechat/jinchang"
WORDS = st.one_of(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60
    ),
    st.sampled_from(
        ["", "0", "-1", "9" * 30, "1e999", "nan", "card:x", "qrscene_card:x", "绑定 12345678", *replies.KEYS]
    ),
    st.sampled_from(["accept", "reject", "success", "failed:user block", "oElder1", "x" * 5000]),
)
TAGS = (
    "FromUserName", "CreateTime", "MsgId", "MsgID", "Content", "Event", "EventKey", "MediaId", "Recognition", "Label",
    "Location_X", "Location_Y", "Title", "Status", "TemplateId", "SubscribeStatusString", "ErrorCode",
)  # fmt: skip
KINDS = ("text", "image", "voice", "location", "link", "event", "event", "event", "odd", "")
NAMES = (*events.ACTIONS, "CLICK", "SCAN", "TEMPLATESENDJOBFINISH", "odd")


@st.composite
def push_of(draw: st.DrawFn) -> bytes:
    """XML of the tags that WeChat uses, with anything in them, nested as in subscription events now and then."""

    def some(tags: tuple[str, ...]) -> str:
        chosen = draw(st.lists(st.sampled_from(tags), max_size=8))
        return "".join(f"<{tag}>{escape(draw(WORDS))}</{tag}>" for tag in chosen)

    inside = f"<MsgType>{draw(st.sampled_from(KINDS))}</MsgType><Event>{draw(st.sampled_from(NAMES))}</Event>"
    around = draw(st.sampled_from(["SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"]))
    lists = "".join(f"<List>{some(TAGS)}</List>" for _ in range(draw(st.integers(0, 2))))
    sender = draw(st.sampled_from(["", "<FromUserName>oElder1</FromUserName>"]))
    return f"<xml><ToUserName>gh_1</ToUserName>{sender}{inside}{some(TAGS)}<{around}>{lists}</{around}></xml>".encode()


@pytest.fixture
async def account(clean_database: Database) -> Keys:
    async with clean_database.transaction() as tx:
        return await make_wechat_account(tx)


async def test_whatever_is_pushed_is_taken_and_worked_off(
    doors: httpx.AsyncClient, account: Keys, clean_database: Database, town: Any
) -> None:
    pushed: list[bytes] = []

    @settings(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(message=st.one_of(push_of(), push_of(), st.binary(max_size=200)))
    def collect(message: bytes) -> None:
        pushed.append(message)

    await asyncio.to_thread(collect)
    for message in pushed:
        query, body = wechat_push(account, message)
        answer = await doors.post(PATH, params=query, content=body)
        assert answer.status_code == 200, (message, answer.text)
    await work_off(clean_database)
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM inbound_contact WHERE processed_at IS NULL") == 0
