"""WeChat's protection: published vectors byte by byte, a second implementation, and every single-byte mutation."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from app.channels.wechat import crypto, messages
from app.channels.wechat.crypto import Keys, WeChatAuthError
from tests.channels import wechat_peer
from tests.channels.wechat_peer import WeChat

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
    said = ("msg:6054768590064713728", "text", "oyORnuP8q7ou2gfYjqLzSIWZf0rs", "abcdteT", "gh_10f6c3c3ac5a")
    assert push == messages.Push(*said)


def test_published_sample_of_the_c_sharp_kit() -> None:
    key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
    keys = Keys.of("corp", "wx5823bf96d3bd56c7", "QDG6eK", key)
    sign = crypto.signature("QDG6eK", "1409659813", "1372623149", CORP_ENCRYPTED)
    assert sign == "477715d11cdb4164915debcba66cb864d751f3e6"
    push = messages.read(crypto.decrypt(keys, CORP_ENCRYPTED))
    assert push == messages.Push("msg:4561255354251345929", "text", "mycreate", "hello", "wx5823bf96d3bd56c7")


def test_published_signature_of_a_url_check() -> None:
    assert crypto.signature("789", "456", "123") == "f7c3bc1d808e04732adf679965ccc34ca7ae3441"
    assert crypto.signature("spamtest", "1409735669", "1320562132") == "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"


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


PEER = WeChat(KEYS.token, AES_KEY, KEYS.appid)


def test_the_second_implementation_is_right_by_itself() -> None:
    """FIPS 197, appendix C.3, and the vectors published for WeChat."""
    round_keys = wechat_peer._round_keys(bytes(range(32)))
    block = wechat_peer.encrypted_block(round_keys, bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert block.hex() == "8ea2b7ca516745bfeafc49904b496089"
    sealed = PEER.sealed("我是中文abcd123".encode(), b"aaaabbbbccccdddd")
    assert sealed == "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
    assert PEER.sign("1409735669", "1320562132", SAMPLE_ENCRYPTED) == "5d197aaffba7e9b25a30732f161a50dee96bd5fa"


@given(message=st.binary(max_size=300), prefix=st.binary(min_size=16, max_size=16))
def test_interoperates_with_the_second_implementation(message: bytes, prefix: bytes) -> None:
    sealed = PEER.sealed(message, prefix)
    assert crypto.decrypt(KEYS, sealed) == message
    assert crypto.encrypt(KEYS, message, random=prefix) == sealed
    assert oracle_decrypt(AES_KEY, crypto.encrypt(KEYS, message)) == (message, KEYS.appid)


@given(message=st.binary(min_size=0, max_size=120))
def test_padding_is_to_32_bytes(message: bytes) -> None:
    assert len(base64.b64decode(crypto.encrypt(KEYS, message))) % 32 == 0


def signed_body(message: bytes, timestamp: str, nonce: str) -> tuple[str, bytes]:
    sealed = crypto.encrypt(KEYS, message)
    sign = crypto.signature(KEYS.token, timestamp, nonce, sealed)
    return sign, f"<xml><ToUserName>x</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()


def opened(sign: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """The checks of the door, in its order."""
    sealed = messages.envelope(body).sealed
    crypto.check_signature(KEYS, sign, timestamp, nonce, sealed, now=NOW)
    return crypto.decrypt(KEYS, sealed)


LAYOUTS = {
    "one line": "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[QUJD]]></Encrypt></xml>",
    "lines": "<xml>\n<ToUserName><![CDATA[gh_1]]></ToUserName>\n<Encrypt><![CDATA[QUJD]]></Encrypt>\n</xml>",
    "indented": "<xml>\n    <ToUserName><![CDATA[gh_1]]></ToUserName>\n    <Encrypt>QUJD</Encrypt>\n</xml>\n",
    "other breaks": "<xml>\r\n\t<ToUserName>gh_1</ToUserName>\r\n\t<Encrypt>QUJD</Encrypt>\r\n</xml>\r\n",
    "one space": "<xml>\n <ToUserName>gh_1</ToUserName>\n <Encrypt>QUJD</Encrypt>\n</xml>",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_no_byte_of_an_envelope_may_be_another_one_and_mean_the_same(layout: str) -> None:
    """What stands between the tags is not signed; so it is taken in one form only."""
    whole = layout.encode()
    meant = messages.Envelope("gh_1", "QUJD")
    assert messages.envelope(whole) == meant
    for at in range(len(whole)):
        for other in range(256):
            mutated = whole[:at] + bytes((other,)) + whole[at + 1 :]
            if mutated == whole:
                continue
            try:
                assert messages.envelope(mutated) != meant
            except WeChatAuthError:
                continue


def test_what_is_said_outside_has_to_be_said_inside() -> None:
    push = messages.read(b"<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName></xml>")
    messages.check_outside(push, messages.Envelope("gh_1", ""), "o1")
    messages.check_outside(push, messages.Envelope("gh_1", ""), None)
    for outside, openid in ((messages.Envelope("gh_2", ""), "o1"), (messages.Envelope("gh_1", ""), "o2")):
        with pytest.raises(WeChatAuthError):
            messages.check_outside(push, outside, openid)


QUERY = "signature=ab&timestamp=1&nonce=2&openid=o1&encrypt_type=aes&msg_signature=cd"


@pytest.mark.parametrize(
    "query",
    [
        QUERY + "&", "&" + QUERY, QUERY + "&other=1", QUERY + "&nonce=2", QUERY.replace("nonce=2", "nonce=%32"),
        QUERY.replace("nonce=2", "nonce="), QUERY.replace("nonce=2", "nonce"), QUERY.replace("nonce=2", "nonce=a+b"),
        QUERY.replace("aes", "raw"), QUERY.replace("encrypt_type=aes&", ""), QUERY.replace("&", ";"), "",
    ],
)  # fmt: skip
def test_parameters_have_one_spelling(query: str) -> None:
    assert messages.parameters(QUERY.encode())["openid"] == "o1"
    with pytest.raises(WeChatAuthError):
        messages.parameters(query.encode())


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
        messages.envelope(body)


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
        messages.envelope(bomb.encode())


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
    assert messages.read(message.replace(b"</xml>", b"<Event>LOCATION</Event></xml>")).event is None
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
