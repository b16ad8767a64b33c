"""A card as it is printed: SVG of 85.6 × 54 mm, the size of a bank card (ISO/IEC 7810 ID-1). Pure."""

from __future__ import annotations

from xml.sax.saxutils import escape

import segno

FONT = "font-family=\"'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif\""
_CARD = """<svg xmlns="http://www.w3.org/2000/svg" width="85.6mm" height="54mm" viewBox="0 0 856 540">
<title>12349 {number}</title>
<rect x="4" y="4" width="848" height="532" rx="32" fill="#fff" stroke="#b3261e" stroke-width="8"/>
<text x="48" y="104" {font} font-size="56" font-weight="bold" fill="#b3261e">居家养老关爱卡</text>
<text x="48" y="220" {font} font-size="{size}" font-weight="bold">{name}</text>
<text x="48" y="296" {font} font-size="40">卡号 {number}</text>
<text x="48" y="400" {font} font-size="36">需要帮助请扫码，或拨打</text>
<text x="48" y="484" {font} font-size="{digits}" font-weight="bold" fill="#b3261e">{hotline}</text>
<g transform="translate(508 180) scale({scale:.6f})"><path d="{squares}" fill="#000"/></g>
</svg>
"""
QR_SIZE = 300.0
NAME_WIDTH = 432
"""Units up to the code's quiet zone: a name that ran into it would keep telephones from reading it."""
LARGEST, LONGEST_NAME = 72, 14
LARGEST_DIGIT, DIGIT_WIDTH = 84, 0.6
"""A digit's width in sizes of its letters, in the widest of the fonts above."""


def card_svg(name: str, number: str, hotline: str, url: str) -> str:
    """The card's front. The code bears 15 % of damage (level M); its quiet zone is the empty edge around it."""
    code = segno.make(url, error="m", micro=False)
    rows = [list(row) for row in code.matrix]
    squares = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return _CARD.format(
        font=FONT, name=escape(shown), size=min(LARGEST, NAME_WIDTH // max(1, len(shown))), number=escape(number),
        digits=min(LARGEST_DIGIT, int(NAME_WIDTH / DIGIT_WIDTH / max(1, len(hotline)))),
        hotline=escape(hotline), squares=squares, scale=QR_SIZE / len(rows),
    )  # fmt: skip
