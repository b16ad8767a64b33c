"""Every byte of a notice and of the headers that prove it changed, one at a time, through the whole application.

The database here cannot be reached and counts who asks; the unchanged notice, asked last, has to get that far: the
control that the door was open all the time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.core.config import Settings
from app.main import create_app
from app.selfpay import merchants, signatures
from app.selfpay.signatures import Forged, Merchant
from tests.channels.wechat_mutations import Unreachable, _watch_connections
from tests.selfpay import peer

NOTICES = 100
SECONDS = 6.0
Headers = list[tuple[bytes, bytes]]


class Door:
    """The application, asked without a network and without a client library: it is the door that is measured."""

    def __init__(self, home: Path) -> None:
        self.database = Unreachable()
        settings = Settings(environment="development", data_dir=home, demo=False, master_key="6e" * 32)
        self._app = create_app(settings, self.database)

    async def post(self, headers: Headers, body: bytes) -> int:
        given = [{"type": "http.request", "body": body, "more_body": False}]
        status = 0

        async def receive() -> Any:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        path = f"/channels/wechatpay/{peer.NAME}"
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"host", b"nuanxian.test"), *headers],
            "client": ("127.0.0.1", 1), "server": ("nuanxian.test", 443), "state": {},
        }  # fmt: skip
        await self._app(scope, receive, send)
        return status


def valid(number: int) -> tuple[Headers, bytes]:
    body = peer.notice(peer.transaction(f"{number:032x}", 100 + number))
    serial = (peer.SERIAL, peer.PUBLIC_KEY_ID)[number % 2]
    proof = peer.proof(body, serial=serial, nonce=f"{number:016x}")
    return [(name.lower().encode(), value.encode()) for name, value in proof.items()], body


def changed(headers: Headers, body: bytes, chance: random.Random) -> Iterator[tuple[Headers, bytes]]:
    """One byte changed at every place: names of headers, their values, the body."""
    for at, (name, value) in enumerate(headers):
        for place in range(len(value)):
            yield [*headers[:at], (name, _other(value, place, chance)), *headers[at + 1 :]], body
        if name != b"wechatpay-signature-type":  # whose absence proves nothing
            for place in range(len(name)):
                yield [*headers[:at], (_other(name, place, chance), value), *headers[at + 1 :]], body
    for place in range(len(body)):
        yield headers, _other(body, place, chance)


def _other(text: bytes, at: int, chance: random.Random) -> bytes:
    """Another byte there; the case of a header's name is no change."""
    while (byte := chance.randbytes(1)).lower() == text[at : at + 1].lower():
        pass
    return text[:at] + byte + text[at + 1 :]


async def known() -> dict[str, Merchant]:
    keys = {serial: signatures.public_key(peer.public_pem("platform")) for serial in (peer.SERIAL, peer.PUBLIC_KEY_ID)}
    ours = signatures.private_key(peer.private_pem("ours"))
    merchant = Merchant(peer.NAME, peer.MCHID, peer.APPID, peer.OUR_SERIAL, peer.API_KEY.encode(), ours, keys)
    return {peer.NAME: merchant}


async def test_every_changed_byte_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    chance, door, asked = random.Random(random.SystemRandom().randrange(10**9)), Door(tmp_path), _watch_connections()
    await door.database.cache.get(merchants.CACHED, known)
    statuses: dict[int, int] = {}
    others, began, whole = [], time.monotonic(), 0
    for number in range(NOTICES):
        headers, body = valid(number)
        cases = list(changed(headers, body, chance))
        # The first notices at every place; then a sample of each, so that a slow machine is done in time too.
        late = time.monotonic() - began > SECONDS
        for case in chance.sample(cases, 8) if late else cases:
            status = await door.post(*case)
            statuses[status] = statuses.get(status, 0) + 1
            if status != 401:
                others.append(case)
        whole += not late
        assert door.database.asked == 0, others
        assert await door.post(headers, body) == 503, "unchanged it gets as far as the database"
        assert door.database.asked == 1
        door.database.asked = 0
    print(f"{NOTICES} notices, {whole} at every place: {statuses}, {time.monotonic() - began:.1f} s")
    assert whole >= 1
    assert (set(statuses), others) == ({401}, [])
    assert asked() == [], "no connection to anywhere"


@pytest.mark.parametrize("weaker", ["no signature", "any spelling"])
async def test_the_mutations_would_find_a_weaker_door(
    weaker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative controls: a door that believes every signature, one that takes every spelling of the right one."""
    if weaker == "no signature":
        monkeypatch.setattr(signatures, "verify", lambda *_, **__: None)
    else:
        monkeypatch.setattr(signatures, "_canonical", lambda text: signatures.base64.b64decode(text))
    door = Door(tmp_path)
    await door.database.cache.get(merchants.CACHED, known)
    headers, body = valid(1)
    at, (name, value) = next((at, pair) for at, pair in enumerate(headers) if pair[0] == b"wechatpay-signature")
    # Base64 leaves four bits of the last letter before "==" without a meaning.
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = alphabet[alphabet.index(value[-3]) ^ 1]
    respelled = [*headers[:at], (name, value[:-3] + bytes((twin,)) + b"=="), *headers[at + 1 :]]
    assert await door.post(respelled, body) == 503
    assert door.database.asked > 0


def test_the_published_example_is_read_and_its_shortened_body_is_refused() -> None:
    """The documents print a signature with its key and time, and a body whose ciphertext they left out: it is WeChat's
    signature (its padding opens), and not of the printed bytes."""
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4zej1cqugGQtVSY2Ah8RMCKcr2UpZ8Npo+5Ja9xpFPYkWHaF1Gjrn3d5kcwAFuHH\n"
        "cfdc3yxDYx6+9grvJnCA2zQzWjzVRa3BJ5LTMj6yqvhEmtvjO9D1xbFTA2m3kyjxlaIar/RYHZSslT4VmjIatW9KJCDKkwpM6x/RIWL8wwfF\n"
        "wgz2q3Zcrff1y72nB8p8P12ndH7GSLoY6d2Tv0OB2+We2Kyy2+QzfGXOmLp7UK/pFQjJjzhSf9jxaWJXYKIBxpGlddbRZj9PqvFPTiep8rvf\n"
        "KGNZF9Q6QaMYTpTp/uKQ3YvpDlyeQlYe4rRFauH3mOE6j56QlYQWivknDX9VrwIDAQAB\n"
        "-----END PUBLIC KEY-----\n"
    )
    signature = (
        "CtcbzwtQjN8rnOXItEBJ5aQFSnIXESeV28Pr2YEmf9wsDQ8Nx25ytW6FXBCAFdrr0mgqngX3AD9gNzjnNHzSGTPBSsaEkIfhPF4b8YRRTpny"
        "88tNLyprXA0GU5ID3DkZHpjFkX1hAp/D0fva2GKjGRLtvYbtUk/OLYqFuzbjt3yOBzJSKQqJsvbXILffgAmX4pKql+Ln+6UPvSCeKwznvtPa"
        "Ex+9nMBmKu7Wpbqm/+2ksc0XwjD+xlvlECkCxfD/OJ4gN3IurE0fpjxIkvHDiinQmk51BI7zQD8k1znU7r/spPqB+vZjc5ep6DC5wZUpFu5v"
        "J8MoNKjCu8wnzyCFdA=="
    )
    public = signatures.public_key(pem)
    numbers = public.public_numbers()
    opened = pow(int.from_bytes(signatures._canonical(signature)), numbers.e, numbers.n).to_bytes(256)
    assert opened.startswith(b"\x00\x01" + b"\xff" * 202 + b"\x00" + peer.SHA256)
    ours = signatures.private_key(peer.private_pem("ours"))
    merchant = Merchant("x", "1900009191", peer.APPID, "x", peer.API_KEY.encode(), ours, {peer.SERIAL: public})
    proof = signatures.Proof(peer.SERIAL, "1554209980", "c5ac7061fccab6bf3e254dcf98995b8c", signature)
    with pytest.raises(Forged) as refused:
        signatures.verify(merchant, proof, b"{}", now=datetime.fromtimestamp(1554209980, UTC))
    assert refused.value.reason == "signature", "key and time were right"
