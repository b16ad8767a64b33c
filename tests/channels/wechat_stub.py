"""WeChat's servers on loopback: strict about what they are asked, and broken in every way on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class Stub:
    """`answers` are given one after the other to whatever is asked but tokens; the last one stays."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Any] = field(default_factory=lambda: [{"errcode": 0, "errmsg": "ok", "msgid": 1}])
    tokens: int = 0
    expires_in: int = 7200
    token_answer: Any = None
    late_s: float = 0.0
    dead: bool = False

    def to(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ")
                length = 0
                while (header := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                body = await reader.readexactly(length)
                where = urlsplit(target)
                asked = Asked(method, where.path, dict(parse_qsl(where.query)), orjson.loads(body) if body else None)
                self.asked.append(asked)
                await asyncio.sleep(self.late_s)
                if self.dead:
                    return
                answer = self._answer(asked)
                content = answer if isinstance(answer, bytes) else orjson.dumps(answer)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    def _answer(self, asked: Asked) -> Any:
        if asked.path == "/cgi-bin/stable_token":
            if self.token_answer is not None:
                return self.token_answer
            if self.tokens == 0 or asked.body["force_refresh"]:
                self.tokens += 1
            return {"access_token": f"token-{self.tokens}", "expires_in": self.expires_in}
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def wechat_stub() -> AsyncIterator[Stub]:
    stub = Stub()
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.close()
