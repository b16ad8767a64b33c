"""The simulation's own handwriting is what the service reads: signatures, WeChat's envelope."""

from __future__ import annotations

from datetime import UTC, datetime

from app.accounts import signing
from app.channels.wechat import crypto, messages
from scripts.simulate import wechat
from scripts.simulate.doors import Doors
from scripts.simulate.pace import Pace

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


async def test_its_signature_is_the_services() -> None:
    doors = Doors("http://127.0.0.1:1", Pace(0.0, datetime(2026, 6, 30, tzinfo=UTC), 1.0))
    path, query, body = "/v1/provider/feed", "wait=5&cursor=a%2Bb&limit=100", b'{"x": 1}'
    given = doors.signature(("pr_key", "secret"), "GET", path, query, body)
    text = signing.signed_text("GET", path, query, body, given["X-Timestamp"], given["X-Nonce"])
    assert signing.is_signed_by(["secret"], text, given["X-Signature"])
    assert not signing.is_signed_by(["another"], text, given["X-Signature"])
    assert signing.NONCE.fullmatch(given["X-Nonce"])
    await doors.close()


def test_its_wechat_envelope_opens_and_says_what_it_should() -> None:
    keys = crypto.Keys.of("gh_demo", "wx1", "token", AES_KEY)
    message = wechat.text_message("o-1", "gh_demo", "想订饭 <&> （模拟00001）", 42, 1_782_000_000)
    sealed = wechat.sealed(AES_KEY, "wx1", message)
    mark = wechat.signed("token", "1782000000", "nonce", sealed)
    now = datetime.fromtimestamp(1_782_000_000, UTC)
    crypto.check_signature(keys, mark, "1782000000", "nonce", sealed, now=now)
    push = messages.read(crypto.decrypt(keys, sealed))
    assert (push.external_id, push.kind, push.sender) == ("msg:42", "text", "o-1")
    assert push.words == "想订饭 <&> （模拟00001）"
