"""Phone numbers: E.164 is the key, the raw form is kept. A phone is never an identity.

A local number without an area code is taken as the city's own (`live_in`). An extension is split off. Numbers that
libphonenumber calls invalid are still usable keys: a centre must not lose a caller for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

from app.core.errors import Invalid

_EXTENSION = re.compile(r"(转|ext\.?|x|#|-)\s*(\d{1,5})$", re.IGNORECASE)
# What must stand before a dash, so that 138-9351-2345 and 010-6234-5678 keep their last four digits.
_WHOLE = re.compile(r"0\d{9,11}|[2-9]\d{6,7}|1[3-9]\d{9}")
_WHOLE_ABROAD = re.compile(r"(?:00)?86[1-9]\d{9,10}")
HOTLINE = "12349"
_area_code = "0935"


def live_in(area_code: str) -> None:
    """From now on this process is one of the city with this area code, written with its zero."""
    global _area_code
    _area_code = area_code


def hotline() -> str:
    """The centre's number as it is dialled from everywhere in the country: dialled alone, a short number reaches the
    city one is in, and families live elsewhere."""
    return _area_code + HOTLINE


@dataclass(frozen=True, slots=True)
class Phone:
    e164: str
    raw: str
    extension: str | None = None


def parse_phone(raw: str) -> Phone:
    """Normalise what people type. Raises Invalid when there are not between 3 and 15 digits."""
    text = raw.strip().translate(str.maketrans("０１２３４５６７８９－（）＋", "0123456789-()+"))
    extension = None
    if (found := _EXTENSION.search(text)) and _is_whole(text[: found.start()], by_dash=found[1] == "-"):
        extension, text = found[2], text[: found.start()]
    digits = re.sub(r"\D", "", text)
    if not 3 <= len(digits) <= 15:
        raise Invalid("phone_malformed", "a phone number has 3 to 15 digits", field="phone")
    return Phone(_e164(text, digits), raw.strip(), extension)


def _is_whole(text: str, *, by_dash: bool) -> bool:
    digits = re.sub(r"\D", "", text)
    if not by_dash:
        return len(digits) >= 7
    return bool((_WHOLE_ABROAD if text.startswith(("+", "00")) else _WHOLE).fullmatch(digits))


def _e164(text: str, digits: str) -> str:
    # 0138…: out-of-area mobiles are often shown with a leading zero by fixed-line exchanges.
    if re.fullmatch(r"01[3-9]\d{9}", digits):
        digits = digits[1:]
    if re.fullmatch(r"(86)?1[3-9]\d{9}", digits):
        return "+86" + digits[-11:]
    if len(digits) in {7, 8} and not text.startswith("+") and digits[0] not in "01":
        digits = _area_code + digits
    try:
        number = phonenumbers.parse(("+" + digits) if text.startswith("+") else digits, "CN")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return "+86" + digits
