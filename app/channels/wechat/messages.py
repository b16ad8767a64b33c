"""What is inside a push: the envelope before it is trusted, the message after.

The envelope is parsed before anything is verified, so it may hold neither a DTD nor an entity and at most 64 kB.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.channels.wechat.crypto import WeChatAuthError

MAX_BODY = 64 * 1024
MAX_ID = 300


@dataclass(frozen=True, slots=True)
class Push:
    """One message or event. `external_id` is what repeats of it have in common."""

    external_id: str
    kind: str
    sender: str | None
    words: str | None


def encrypted_part(body: bytes) -> str:
    """The text of `<Encrypt>`. Raises WeChatAuthError when the body is not such an envelope."""
    if len(body) > MAX_BODY:
        raise WeChatAuthError
    try:
        found = _parsed(body).findtext("Encrypt")
    except ValueError:
        raise WeChatAuthError from None
    if not found:
        raise WeChatAuthError
    return found.strip()


def read(message: bytes) -> Push:
    """What a verified message says; one that we cannot read is kept under the hash of its bytes."""
    try:
        root = _parsed(message)
    except ValueError:
        return Push(_hashed(message), "unreadable", None, None)
    kind = (root.findtext("MsgType") or "unknown").strip().lower()[:40]
    sender = (root.findtext("FromUserName") or "").strip() or None
    return Push(_external_id(root, kind, sender, message), kind, sender, _words(root, kind))


def _external_id(root: Element, kind: str, sender: str | None, message: bytes) -> str:
    """Messages repeat with their MsgId. Events have none: sender, second, event and key stand for it."""
    msg_id = (root.findtext("MsgId") or "").strip()
    if kind != "event" and msg_id and len(msg_id) <= MAX_ID:
        return f"msg:{msg_id}"
    created = (root.findtext("CreateTime") or "").strip()
    if sender is None or not created:
        return _hashed(message)
    parts = (sender, created, root.findtext("Event") or "", root.findtext("EventKey") or "")
    return "event:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _words(root: Element, kind: str) -> str | None:
    """What the person wrote; of a voice message, what WeChat's recognition heard."""
    tag = {"text": "Content", "voice": "Recognition", "location": "Label", "link": "Title"}.get(kind)
    said = (root.findtext(tag) or "").strip() if tag else ""
    return said[:4000] or None


def _hashed(message: bytes) -> str:
    return "sha256:" + hashlib.sha256(message).hexdigest()


def _parsed(body: bytes) -> Element:
    """Raises ValueError for everything that is not plain, small XML."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, UnicodeError) as broken:
        raise ValueError("not plain XML") from broken
    if not isinstance(root, Element):
        raise ValueError("not an element")
    return root
