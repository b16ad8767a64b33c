"""Unified social credit codes (统一社会信用代码), GB 32100-2015. Pure."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and letters without I, O, S, V, Z."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))


def normalised(typed: str) -> str:
    """Full-width characters, spaces and small letters as people paste them."""
    wide = {0xFF10 + i: str(i) for i in range(10)} | {0xFF21 + i: chr(65 + i) for i in range(26)}
    return "".join(typed.translate(wide).split()).upper()


def check_character(first17: str) -> str:
    """The 18th character. Raises ValueError for characters outside the alphabet."""
    try:
        weighted = sum(_VALUES[c] * w for c, w in zip(first17, _WEIGHTS, strict=True))
    except KeyError as foreign:
        raise ValueError("not a character of GB 32100") from foreign
    return ALPHABET[(31 - weighted % 31) % 31]


def is_valid(code: str) -> bool:
    """Eighteen characters of the alphabet with the right check character."""
    if len(code) != 18 or any(c not in _VALUES for c in code):
        return False
    return check_character(code[:17]) == code[17]
