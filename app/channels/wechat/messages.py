"""What is inside a push: the envelope before it is trusted, the message after. Pure.

WeChat signs the ciphertext, the timestamp and the nonce, and nothing around them. What is around them is therefore
taken only in the one form in which WeChat writes it: known parameters without escapes, an envelope of two elements,
either all on one line or each on a line of its own; and the two names outside that also stand inside (`ToUserName`,
`openid`) have to be the same there. So no byte of a push can be another one.

The message is XML from an authentic sender, but written by anybody: no DTD, no entity, at most 64 kB.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.channels.wechat.crypto import WeChatAuthError
from app.core.geo import gcj02_to_wgs84

MAX_BODY = 64 * 1024
MAX_ID = 300
MAX_WORDS = 4000
UNREADABLE = "unreadable"

_PARAMETER = re.compile(rb"(signature|timestamp|nonce|openid|encrypt_type|msg_signature)=([A-Za-z0-9._~-]{1,200})")
_NAME, _SEALED = rb"[A-Za-z0-9_@.-]{1,128}", rb"[A-Za-z0-9+/]+={0,2}"
_ENVELOPE = re.compile(
    rb"<xml>(?P<line>\r?\n(?: *|\t*))?"
    rb"<ToUserName>(?P<open><!\[CDATA\[)?(?P<to>%s)(?(open)\]\]>)</ToUserName>(?(line)(?P=line))"
    rb"<Encrypt>(?P<start><!\[CDATA\[)?(?P<sealed>%s)(?(start)\]\]>)</Encrypt>(?(line)\r?\n)"
    rb"</xml>(?:\r?\n)?" % (_NAME, _SEALED)
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a body says before anything is verified: for whom it is, and the ciphertext."""

    to: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Push:
    """One message or event. `external_id` is what repeats of it have in common; `to` is the account's original id;
    `event` and `key` are set for events only."""

    external_id: str
    kind: str
    sender: str | None = None
    words: str | None = None
    to: str | None = None
    event: str | None = None
    key: str | None = None


def parameters(query: bytes) -> dict[str, str]:
    """The parameters of a push. Raises WeChatAuthError for any other, a second one of a name, or an escape."""
    found: dict[str, str] = {}
    for part in query.split(b"&"):
        pair = _PARAMETER.fullmatch(part)
        if pair is None or pair[1].decode() in found:
            raise WeChatAuthError
        found[pair[1].decode()] = pair[2].decode()
    if found.get("encrypt_type") != "aes":
        raise WeChatAuthError
    return found


def envelope(body: bytes) -> Envelope:
    """Raises WeChatAuthError when the body is not an envelope as WeChat writes it."""
    found = _ENVELOPE.fullmatch(body) if len(body) <= MAX_BODY else None
    if found is None:
        raise WeChatAuthError
    return Envelope(found["to"].decode(), found["sealed"].decode())


def check_outside(push: Push, outside: Envelope, openid: str | None) -> None:
    """What is said outside of the signature must be said inside, too. Raises WeChatAuthError."""
    if push.kind != UNREADABLE and push.to != outside.to:
        raise WeChatAuthError
    if openid is not None and push.sender != openid:
        raise WeChatAuthError


def read(message: bytes) -> Push:
    """What a verified message says; one that we cannot read is kept under the hash of its bytes."""
    try:
        root = parsed(message)
    except ValueError:
        return Push(_hashed(message), UNREADABLE)
    kind = said(root, "MsgType").lower()[:40] or "unknown"
    sender, is_event = said(root, "FromUserName") or None, kind == "event"
    return Push(
        _external_id(root, kind, sender, message),
        kind,
        sender,
        _words(root, kind),
        said(root, "ToUserName") or None,
        said(root, "Event")[:80].lower() if is_event else None,
        said(root, "EventKey")[:200] if is_event else None,
    )


def said(root: Element, tag: str) -> str:
    """The text of an element; empty where there is none."""
    return (root.findtext(tag) or "").strip()


def parsed(message: bytes) -> Element:
    """Raises ValueError for everything that is not plain, small XML."""
    try:
        root = fromstring(message, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, UnicodeError) as broken:
        raise ValueError("not plain XML") from broken
    if not isinstance(root, Element):
        raise ValueError("not an element")
    return root


def _external_id(root: Element, kind: str, sender: str | None, message: bytes) -> str:
    """Messages repeat with their MsgId. Events have none: sender, second, event and key stand for it."""
    msg_id = said(root, "MsgId")
    if kind != "event" and msg_id and len(msg_id) <= MAX_ID:
        return f"msg:{msg_id}"
    created = said(root, "CreateTime")
    if sender is None or not created:
        return _hashed(message)
    # Events about messages of ours carry the message's id: two of them may be told of in the same second.
    parts = (sender, created, root.findtext("Event") or "", root.findtext("EventKey") or "", *_told_of(root))
    return "event:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _told_of(root: Element) -> list[str]:
    return [one.text or "" for one in root.iter() if one.tag in {"MsgID", "MsgId", "TemplateId"}]


def _words(root: Element, kind: str) -> str | None:
    """What the person wrote; of a voice message, what WeChat's recognition heard."""
    if kind == "location":
        words = _place(root)
    elif kind == "voice":
        words = said(root, "Recognition") or _recording(root)
    else:
        tag = {"text": "Content", "link": "Title"}.get(kind)
        words = said(root, tag) if tag else ""
    return words[:MAX_WORDS] or None


def _place(root: Element) -> str:
    """`Location_X` is the latitude, in GCJ-02; ours is WGS-84 and says so."""
    label = said(root, "Label")[:200]
    try:
        lat, lng = float(said(root, "Location_X")), float(said(root, "Location_Y"))
    except ValueError:
        return label
    if not (math.isfinite(lat) and math.isfinite(lng) and abs(lat) <= 90 and abs(lng) <= 180):
        return label
    lng, lat = gcj02_to_wgs84(lng, lat)
    return "位置：" + f"{label} {lng:.6f},{lat:.6f} (wgs84)".lstrip()


def _recording(root: Element) -> str:
    """WeChat keeps the recording for three days under this name."""
    media_id = said(root, "MediaId")[:200]
    return f"（用户发来语音，三天内可按媒体号收听：{media_id}）" if media_id else ""


def _hashed(message: bytes) -> str:
    return "sha256:" + hashlib.sha256(message).hexdigest()
