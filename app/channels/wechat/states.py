"""The `state` of a way through WeChat's sign-in page: ours, this browser's, this account's, ten minutes, once. Pure.

    state = hex(expires at, 4 bytes ‖ 12 random bytes ‖ HMAC-SHA-256 of these, the account and the browser's secret)

64 letters of the at most 128 that WeChat carries. Nothing is stored when one is given out; what has been used is
remembered until it expires (`wechat_used_state`). The browser's secret is in a cookie, so that nobody can be led
through a sign-in that somebody else began.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from datetime import datetime, timedelta

from app.core.crypto import Vault

LIVES = timedelta(minutes=10)
_STATE = re.compile(r"[0-9a-f]{64}")
_HEAD = 16


def issue(vault: Vault, account: str, browser: str, now: datetime) -> str:
    head = int((now + LIVES).timestamp()).to_bytes(4) + os.urandom(12)
    return (head + _mac(vault, head, account, browser)).hex()


def expiry(vault: Vault, state: str, account: str, browser: str) -> float | None:
    """When a state of ours ends, in Unix seconds; None for one that is not ours, or not this browser's."""
    if not _STATE.fullmatch(state) or not browser:
        return None
    whole = bytes.fromhex(state)
    head, mac = whole[:_HEAD], whole[_HEAD:]
    if not hmac.compare_digest(mac, _mac(vault, head, account, browser)):
        return None
    return float(int.from_bytes(head[:4]))


def used(state: str) -> bytes:
    """What is remembered of a used state."""
    return hashlib.sha256(state.encode()).digest()[:16]


def _mac(vault: Vault, head: bytes, account: str, browser: str) -> bytes:
    # The parts cannot run into each other: an account's name and a token hold no line break.
    said = head + f"\n{account}\n{browser}".encode("utf-8", "replace")
    return hmac.digest(vault.key_for("wechat_state"), said, "sha256")[:16]
