"""Every single byte of a valid post to WeChat's door changed, one at a time, through the whole application.

The database here cannot be reached, and counts who asks: a changed post may not even get that far. The unchanged post,
asked last, has to: it is kept on the porch, which is the control that the door was open all the time.
In full, as a command (`scripts/mutate_wechat`):

    python -m tests.channels.wechat_mutations --posts 1000

changes each byte of each post into another byte by chance (`--values 255`: into every other).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from app.channels.wechat import accounts
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.cache import Cache
from app.core.config import Settings
from app.core.crypto import Vault
from app.core.db import Database
from app.core.errors import Unavailable
from app.main import create_app
from tests.channels.wechat_peer import Post, WeChat

TOKEN, APPID, AES_KEY = "spamtest", "wx0000000000000001", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT = "jinchang"
WORDS = "我要助餐请帮忙打扫明天上午来陪诊洗澡理发买菜急𠮷 abc,.&<>"


class Unreachable(Database):
    """Counts how often somebody wanted a connection."""

    def __init__(self) -> None:
        super().__init__("postgresql://nobody@/nothing?host=/nowhere", vault=Vault({1: bytes(32)}))
        self.cache = Cache(ttl_s=86_400)
        self.asked = 0

    async def connection(self) -> NoReturn:
        self.asked += 1
        raise Unavailable("database_unavailable")


@dataclass
class Found:
    """What came of it."""

    posts: int = 0
    changed: int = 0
    refused: int = 0
    asked: int = 0
    connected: list[Any] = field(default_factory=list)
    kept: int = 0
    taken: int = 0
    """Unchanged posts that were let in."""
    others: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """Status, query and body of those not answered 401."""

    @property
    def clean(self) -> bool:
        refused = self.refused == self.changed > 0 and self.taken == self.posts
        return refused and not (self.asked or self.connected or self.kept)


class Door:
    """The application, asked without a network and without a client library: it is the door that is measured."""

    def __init__(self, home: Path, database: Database) -> None:
        settings = Settings(environment="development", data_dir=home, demo=False, master_key="6e" * 32)
        self._app = create_app(settings, database)
        self._porch = home / "porch"

    def on_the_porch(self) -> int:
        return len(list(self._porch.iterdir())) if self._porch.exists() else 0

    def sweep_the_porch(self) -> None:
        for file in self._porch.iterdir():
            file.unlink()

    async def post(self, query: bytes, body: bytes) -> int:
        given = [{"type": "http.request", "body": body, "more_body": False}]
        status = 0

        async def receive() -> Any:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        path = f"/channels/wechat/{ACCOUNT}"
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
            "headers": [(b"content-type", b"text/xml"), (b"host", b"nuanxian.test")],
            "client": ("127.0.0.1", 1), "server": ("nuanxian.test", 443), "state": {},
        }  # fmt: skip
        await self._app(scope, receive, send)
        return status


def keys() -> Keys:
    return Keys.of(ACCOUNT, APPID, TOKEN, AES_KEY)


def posts(count: int, chance: random.Random) -> Iterator[Post]:
    """Valid posts of all kinds and layouts, signed now."""
    wechat = WeChat(TOKEN, AES_KEY, APPID)
    for number in range(count):
        openid = "o" + "".join(chance.choices("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789_-", k=27))
        yield wechat.post(
            message(number, openid, chance),
            timestamp=int(clock.now().timestamp()),
            nonce=str(chance.randrange(10**8, 10**10)),
            random=chance.randbytes(16),
            openid=openid,
            lines=number % 3 != 0,
        )


def message(number: int, openid: str, chance: random.Random) -> bytes:
    words = "".join(chance.choices(WORDS, k=chance.randrange(1, 40))).replace("]]>", "")
    inside = (
        f"<MsgType>text</MsgType><Content><![CDATA[{words}]]></Content><MsgId>{number}</MsgId>",
        f"<MsgType>event</MsgType><Event>CLICK</Event><EventKey>help{number}</EventKey>",
        f"<MsgType>voice</MsgType><MediaId>m{number}</MediaId><Recognition>{number}</Recognition><MsgId>{number}</MsgId>",
        f"<MsgType>location</MsgType><Location_X>38.5</Location_X><Location_Y>102.1</Location_Y><MsgId>{number}</MsgId>",
    )[number % 4]
    head = f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{openid}</FromUserName><CreateTime>{number}</CreateTime>"
    return f"{head}{inside}</xml>".encode()


def mutations(post: Post, values: int, chance: random.Random) -> Iterator[tuple[bytes, bytes]]:
    """Query and body with one byte changed, at every place, into `values` other bytes."""
    query = post.query.encode()
    whole = query + post.body
    for at, byte in enumerate(whole):
        for other in chance.sample([one for one in range(256) if one != byte], values):
            changed = whole[:at] + bytes((other,)) + whole[at + 1 :]
            yield changed[: len(query)], changed[len(query) :]


async def run(count: int, values: int, seed: int, *, progress: bool = False) -> Found:
    """Ask the door `count` posts with every byte changed into `values` others."""
    chance, found, watched = random.Random(seed), Found(), _watch_connections()
    with tempfile.TemporaryDirectory() as home:
        database = Unreachable()
        await database.cache.get(accounts.CACHED, _known)
        door = Door(Path(home), database)
        for post in posts(count, chance):
            await _ask(door, post, values, chance, found)
            found.asked += database.asked
            found.kept += door.on_the_porch()
            found.taken += await door.post(post.query.encode(), post.body) == 200 and door.on_the_porch() == 1
            database.asked = 0
            door.sweep_the_porch()
            if progress and found.posts % 50 == 0:
                print(f"{found.posts} posts, {found.changed} changed, {found.refused} refused", flush=True)
        found.connected = watched()
    return found


async def _ask(door: Door, post: Post, values: int, chance: random.Random, found: Found) -> None:
    found.posts += 1
    for query, body in mutations(post, values, chance):
        status = await door.post(query, body)
        found.changed += 1
        found.refused += status == 401
        if status != 401 and len(found.others) < 20:
            found.others.append((status, query, body))


async def _known() -> dict[str, Keys]:
    return {ACCOUNT: keys()}


_seen: list[Any] | None = None
_hooked = False


def _note(event: str, details: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _seen is not None:
        _seen.append(details[1])


def _watch_connections() -> Any:
    """From now on note every connection this process opens; calling the result gives them, and ends it."""
    global _seen, _hooked
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    _seen = []

    def end() -> list[Any]:
        global _seen
        noted, _seen = _seen or [], None
        return noted

    return end


def main() -> int:
    options = argparse.ArgumentParser(description="Change every byte of valid posts to WeChat's door.")
    options.add_argument("--posts", type=int, default=1000)
    options.add_argument("--values", type=int, default=1, help="into how many other bytes, 1 to 255")
    options.add_argument("--seed", type=int, default=20261122)
    given = options.parse_args()
    began = time.monotonic()
    found = asyncio.run(run(given.posts, given.values, given.seed, progress=True))
    took = time.monotonic() - began
    print(f"{found.posts} posts, {found.changed} changed posts in {took:.0f} s: {found.refused} answered 401")
    print(
        f"for these: database asked {found.asked} times, {len(found.connected)} connections, {found.kept} files written"
    )
    print(f"{found.taken} of {found.posts} unchanged posts were let in")
    for status, query, body in found.others:
        print(status, query, body)
    return 0 if found.clean else 1


if __name__ == "__main__":
    sys.exit(main())
