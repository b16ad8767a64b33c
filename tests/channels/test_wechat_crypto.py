"""WeChat's protection: published vectors byte by byte, a second implementation, and every single-byte mutation."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from app.channels.wechat import crypto, messages
from app.channels.wechat.crypto import Keys, WeChatAuthError

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
KEYS = Keys.of("jinchang", "wxb11529c136998cb6", "spamtest", AES_KEY)


def test_published_vector_of_the_java_kit_both_ways() -> None:
    sealed = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    plain = "我是中文abcd123".encode()
    assert crypto.encrypt(KEYS, plain, random=b"aaaabbbbccccdddd") == sealed
    assert crypto.decrypt(KEYS, sealed) == plain


SAMPLE_ENCRYPTED = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2L"
    "dJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6u"
    "x5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJ"
    "pXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCz"
    "pu9GhglF2PE="
)
CORP_ENCRYPTED = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/s"
    "YYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJ"
    "YuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGU"
    "callcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDY"
    "A5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)


def test_published_sample_of_the_message_kit() -> None:
    keys = Keys.of("sample", "wx2c2769f8efd9abc2", "spamtest", AES_KEY)
    parts = ("1409735669", "1320562132", SAMPLE_ENCRYPTED)
    sign = "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
    assert crypto.signature("spamtest", *parts) == sign
    crypto.check_signature(keys, sign, *parts, now=datetime.fromtimestamp(1409735669, UTC))
    push = messages.read(crypto.decrypt(keys, SAMPLE_ENCRYPTED))
    assert push == messages.Push("msg:6054768590064713728", "text", "oyORnuP8q7ou2gfYjqLzSIWZf0rs", "abcdteT")


def test_published_sample_of_the_c_sharp_kit() -> None:
    key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
    keys = Keys.of("corp", "wx5823bf96d3bd56c7", "QDG6eK", key)
    sign = crypto.signature("QDG6eK", "1409659813", "1372623149", CORP_ENCRYPTED)
    assert sign == "477715d11cdb4164915debcba66cb864d751f3e6"
    push = messages.read(crypto.decrypt(keys, CORP_ENCRYPTED))
    assert push == messages.Push("msg:4561255354251345929", "text", "mycreate", "hello")


def test_published_signature_of_a_url_check() -> None:
    assert crypto.signature("789", "456", "123") == "f7c3bc1d808e04732adf679965ccc34ca7ae3441"
    assert crypto.signature("spamtest", "1409735669", "1320562132") == "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"


def oracle_encrypt(key43: str, appid: str, message: bytes, prefix: bytes) -> str:
    """Written a second time, differently: block by block with ECB and the chaining by hand."""
    key = base64.b64decode(key43 + "=")
    plain = b"".join([prefix, struct.pack("!L", len(message)), message, appid.encode()])
    pad = 32 - (len(plain) & 31)
    plain += bytes([pad] * pad)
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (the chaining follows)
    previous, out = key[:16], []
    for at in range(0, len(plain), 16):
        block = bytes(a ^ b for a, b in zip(plain[at : at + 16], previous, strict=True))
        previous = ecb.update(block)
        out.append(previous)
    return base64.b64encode(b"".join(out)).decode()


def oracle_decrypt(key43: str, sealed: str) -> tuple[bytes, str]:
    key = base64.b64decode(key43 + "=")
    data = base64.b64decode(sealed)
    ecb = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 (the chaining follows)
    previous, plain = key[:16], b""
    for at in range(0, len(data), 16):
        block = data[at : at + 16]
        plain += bytes(a ^ b for a, b in zip(ecb.update(block), previous, strict=True))
        previous = block
    plain = plain[: -plain[-1]]
    length = int.from_bytes(plain[16:20], "big")
    return plain[20 : 20 + length], plain[20 + length :].decode()


@given(message=st.binary(max_size=300), prefix=st.binary(min_size=16, max_size=16))
def test_interoperates_with_the_second_implementation(message: bytes, prefix: bytes) -> None:
    assert crypto.decrypt(KEYS, oracle_encrypt(AES_KEY, KEYS.appid, message, prefix)) == message
    assert oracle_decrypt(AES_KEY, crypto.encrypt(KEYS, message)) == (message, KEYS.appid)
    assert crypto.encrypt(KEYS, message, random=prefix) == oracle_encrypt(AES_KEY, KEYS.appid, message, prefix)


@given(message=st.binary(min_size=0, max_size=120))
def test_padding_is_to_32_bytes(message: bytes) -> None:
    assert len(base64.b64decode(crypto.encrypt(KEYS, message))) % 32 == 0


def signed_body(message: bytes, timestamp: str, nonce: str) -> tuple[str, bytes]:
    sealed = crypto.encrypt(KEYS, message)
    sign = crypto.signature(KEYS.token, timestamp, nonce, sealed)
    return sign, f"<xml><ToUserName>x</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()


def opened(sign: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """The checks of the door, in its order."""
    sealed = messages.encrypted_part(body)
    crypto.check_signature(KEYS, sign, timestamp, nonce, sealed, now=NOW)
    return crypto.decrypt(KEYS, sealed)


def test_every_single_byte_mutation_is_refused_or_means_the_same() -> None:
    """A flipped byte outside <Encrypt> changes nothing that is used; inside the signed part it is always refused."""
    timestamp, nonce, message = str(int(NOW.timestamp())), "1320562132", "<xml>我要助餐</xml>".encode()
    sign, body = signed_body(message, timestamp, nonce)
    assert opened(sign, timestamp, nonce, body) == message
    start = body.index(b"<Encrypt>") + len(b"<Encrypt>")
    end = body.index(b"</Encrypt>")
    for at in range(len(body)):
        for flip in (0x01, 0x20, 0x80):
            mutated = body[:at] + bytes((body[at] ^ flip,)) + body[at + 1 :]
            if start <= at < end:
                with pytest.raises(WeChatAuthError):
                    opened(sign, timestamp, nonce, mutated)
            else:
                try:
                    assert opened(sign, timestamp, nonce, mutated) == message
                except WeChatAuthError:
                    continue


@pytest.mark.parametrize("part", ["signature", "timestamp", "nonce"])
def test_every_mutation_of_the_parameters_is_refused(part: str) -> None:
    timestamp, nonce = str(int(NOW.timestamp())), "1320562132"
    sign, body = signed_body(b"<xml/>", timestamp, nonce)
    given_parts = {"signature": sign, "timestamp": timestamp, "nonce": nonce}
    for at in range(len(given_parts[part])):
        for other in "0aZ ＋":
            value = given_parts[part][:at] + other + given_parts[part][at + 1 :]
            if value == given_parts[part]:
                continue
            changed = given_parts | {part: value}
            with pytest.raises(WeChatAuthError):
                opened(changed["signature"], changed["timestamp"], changed["nonce"], body)


@pytest.mark.parametrize("seconds", [-601, 601, -86400 * 365 * 25])
def test_a_rightly_signed_push_outside_the_window_is_refused(seconds: int) -> None:
    timestamp = str(int(NOW.timestamp()) + seconds)
    sign, body = signed_body(b"<xml/>", timestamp, "n")
    with pytest.raises(WeChatAuthError):
        opened(sign, timestamp, "n", body)


@pytest.mark.parametrize("seconds", [-599, 0, 599])
def test_a_push_inside_the_window_is_taken(seconds: int) -> None:
    timestamp = str(int(NOW.timestamp()) + seconds)
    sign, body = signed_body(b"<xml/>", timestamp, "n")
    assert opened(sign, timestamp, "n", body) == b"<xml/>"


def test_a_message_for_another_account_is_refused() -> None:
    other = Keys.of("other", "wx2c2769f8efd9abc2", KEYS.token, AES_KEY)
    with pytest.raises(WeChatAuthError):
        crypto.decrypt(KEYS, crypto.encrypt(other, b"<xml/>"))


def _sealed_raw(plain: bytes) -> str:
    encryptor = Cipher(algorithms.AES(KEYS.key), modes.CBC(KEYS.key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


@pytest.mark.parametrize(
    "plain",
    [
        b"\x00" * 32,
        b"a" * 31 + b"\x21",
        b"a" * 30 + b"\x01\x02",
        bytes([32]) * 32,
        b"r" * 16 + b"\xff\xff\xff\xff" + b"m" * 11 + b"\x01",
        b"r" * 16 + b"\x00\x00\x00\x00" + b"wrong-appid" + b"\x01",
    ],
    ids=["padding 0", "padding 33", "uneven padding", "nothing left", "length beyond the end", "appid"],
)
def test_rightly_encrypted_nonsense_is_refused(plain: bytes) -> None:
    with pytest.raises(WeChatAuthError):
        crypto.decrypt(KEYS, _sealed_raw(plain))


@given(text=st.text(max_size=200))
def test_arbitrary_text_is_never_an_exception_of_another_kind(text: str) -> None:
    with pytest.raises(WeChatAuthError):
        crypto.decrypt(KEYS, text)


@given(body=st.binary(max_size=300))
def test_arbitrary_bodies_are_never_an_exception_of_another_kind(body: bytes) -> None:
    with pytest.raises(WeChatAuthError):
        messages.encrypted_part(body)


BOMBS = {
    "billion laughs": '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>',
    "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Encrypt>&e;</Encrypt></xml>',
    "quadratic": '<!DOCTYPE x [<!ENTITY e "' + "A" * 20_000 + '">]><xml><Encrypt>&e;&e;&e;</Encrypt></xml>',
    "bare doctype": "<!DOCTYPE xml><xml><Encrypt>QQ==</Encrypt></xml>",
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><xml><Encrypt>a</Encrypt></xml>',
    "too large": "<xml><Encrypt>" + "A" * messages.MAX_BODY + "</Encrypt></xml>",
    "unknown encoding": '<?xml version="1.0" encoding="nope"?><xml><Encrypt>a</Encrypt></xml>',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_hostile_envelopes_are_refused(bomb: str) -> None:
    with pytest.raises(WeChatAuthError):
        messages.encrypted_part(bomb.encode())


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", AES_KEY[:-1] + "*"])
def test_an_account_with_a_broken_key_is_not_made(key: str) -> None:
    with pytest.raises(ValueError, match="43 characters"):
        Keys.of("a", "wx", "t", key)


def test_keys_do_not_print_their_secrets() -> None:
    assert KEYS.token not in repr(KEYS)
    assert "key" not in repr(KEYS)


def test_repeats_share_their_external_id_and_different_events_do_not() -> None:
    text = "<xml><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType>{}</xml>"
    message = text.format("<Content>我要助餐</Content><MsgId>42</MsgId>").encode()
    assert messages.read(message) == messages.Push("msg:42", "text", "o1", "我要助餐")
    event = "<xml><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime><MsgType>event</MsgType>"
    event += "<Event>{}</Event><EventKey>{}</EventKey></xml>"
    cases = [("o1", 1, "CLICK", "a"), ("o2", 1, "CLICK", "a"), ("o1", 2, "CLICK", "a")]
    cases += [("o1", 1, "VIEW", "a"), ("o1", 1, "CLICK", "b")]
    ids = [messages.read(event.format(*case).encode()).external_id for case in cases]
    assert len(set(ids)) == len(cases)
    assert messages.read(event.format(*cases[0]).encode()).external_id == ids[0]


def test_a_verified_message_that_cannot_be_read_is_still_a_push() -> None:
    push = messages.read(b"<!DOCTYPE x><xml/>")
    assert push.kind == "unreadable"
    assert push.external_id.startswith("sha256:")
