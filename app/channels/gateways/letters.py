"""What a gateway for text messages needs of a message: a mobile number, and the values in its order. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.messaging.sender import Refused

CHINESE_MOBILE = re.compile(r"\+861[3-9]\d{9}")
LINK_TOKEN = "link_token"  # noqa: S105 (the name of a gap)
"""A link's last part. Gateways forbid addresses as values; the words before it stand in their template."""


@dataclass(frozen=True, slots=True)
class Letter:
    """How a gateway knows one of our templates: its own code, and the gaps it wants filled in, in its order."""

    external_code: str
    params: tuple[str, ...]


def mobile(e164: str) -> str:
    """The number, if a text message can reach it. Raises Refused for a landline or what is no number."""
    if e164.startswith("+86"):
        if not CHINESE_MOBILE.fullmatch(e164):
            raise Refused("not_a_mobile")
    elif not re.fullmatch(r"\+[1-9]\d{6,14}", e164):
        raise Refused("not_a_number")
    return e164


def letter_of(letters: Mapping[str, Letter], template_code: str) -> Letter:
    """Raises Refused for a template the gateway has not been told of."""
    if template_code not in letters:
        raise Refused("template_not_mapped")
    return letters[template_code]


def values(letter: Letter, params: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """(gap, value) in the gateway's order. Raises Refused for a gap that nobody filled in."""
    known = dict(params)
    if "link" in params:
        known[LINK_TOKEN] = params["link"].rstrip("/").rsplit("/", 1)[-1]
    try:
        return [(name, known[name]) for name in letter.params]
    except KeyError:
        raise Refused("value_missing") from None
