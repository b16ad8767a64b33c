"""What we answer in the same breath, and what a key of the menu means. Pure.

Everything is one page: the menu's keys stand in `data/menu.json`, which is what WeChat is given; a test holds that
every key there has a meaning here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from app.channels.wechat.messages import Push
from app.core import phones


@dataclass(frozen=True, slots=True)
class Meaning:
    """What pressing a key of the menu does: the words answered, and what becomes of it at the desk, if anything.

    In words, `{hotline}` stands for the number that is dialled from everywhere in the country."""

    reply: str
    asks: str | None = None


WELCOME = (
    "您好，这里是12349居家养老服务热线。需要助餐、助洁、助浴、助医等服务，请直接用文字或语音告诉我们，"
    "或拨打{hotline}。家属绑定：登录后把页面上的“绑定”和八位数字发到这里。遇到危险请先拨打120或110。"
)
CARD = "已收到，这位老人的情况已转给接线员，请稍候回电；紧急情况请拨打{hotline}。"
KEYS: dict[str, Meaning] = {
    "help": Meaning(
        "请用文字或语音说明：为哪位老人、需要什么服务、希望什么时候。接线员会尽快与您联系；急事请拨打{hotline}。"
    ),
    "call_me": Meaning("好的，接线员会尽快给您回电。", asks="（用户在公众号菜单点了“请给我回电”）"),
    "contact": Meaning("请拨打{hotline}。"),
}
CARD_SCENE = "card:"


def card_token(push_event: str | None, key: str | None) -> str | None:
    """The token of the elder's card that was scanned: by a follower (scan), or by somebody who thereby became one."""
    if push_event not in {"scan", "subscribe"} or not key:
        return None
    scene = key.removeprefix("qrscene_")
    return scene.removeprefix(CARD_SCENE) or None if scene.startswith(CARD_SCENE) else None


def reply_to(push: Push) -> str | None:
    """The words for whoever sent this; None where silence is the answer."""
    words = _words(push)
    return None if words is None else spoken(words)


def spoken(words: str) -> str:
    """As they are sent."""
    return words.replace("{hotline}", phones.hotline())


def _words(push: Push) -> str | None:
    if card_token(push.event, push.key) is not None:
        return CARD
    if push.event == "subscribe":
        return WELCOME
    if push.event == "click" and (meaning := KEYS.get(push.key or "")) is not None:
        return meaning.reply
    return None


def reply_message(push: Push, words: str, created: int) -> bytes:
    """A text message back to the sender of `push`, before it is protected; `created` is in Unix seconds."""
    return (
        f"<xml><ToUserName>{escape(push.sender or '')}</ToUserName>"
        f"<FromUserName>{escape(push.to or '')}</FromUserName><CreateTime>{created}</CreateTime>"
        f"<MsgType>text</MsgType><Content>{escape(words)}</Content></xml>"
    ).encode()


@cache
def _shipped_menu() -> str:
    return (Path(__file__).parent / "data" / "menu.json").read_text(encoding="utf-8")


def menu(public_url: str) -> dict[str, Any]:
    """The menu as WeChat takes it, with this deployment's address in its links."""
    made: dict[str, Any] = json.loads(_shipped_menu().replace("{public_url}", public_url))
    return made
