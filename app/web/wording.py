"""How times, money and the like are written for people. Pure: "now" is given."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import phonenumbers

from app.core.clock import SHANGHAI

WEEKDAYS = "一二三四五六日"
_PARTS = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def clock_time(at: datetime) -> str:
    """08:30."""
    return f"{at.astimezone(SHANGHAI):%H:%M}"


def spoken_time(at: datetime) -> str:
    """As one says it on the telephone: 上午 8:30, 下午 2:00."""
    local = at.astimezone(SHANGHAI)
    part = next(word for until, word in _PARTS if local.hour < until)
    hour = local.hour - 12 if local.hour > 12 else local.hour
    return f"{part} {hour}:{local.minute:02d}"


def day_word(day: date, today: date) -> str:
    """今天, 明天, 周三, 11月30日, and with the year where it is another."""
    distance = (day - today).days
    if -2 <= distance <= 2:
        return ("前天", "昨天", "今天", "明天", "后天")[distance + 2]
    if 2 < distance < 7:
        return f"{day.month}月{day.day}日 周{WEEKDAYS[day.weekday()]}"
    year = "" if day.year == today.year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日"


def moment(at: datetime, now: datetime) -> str:
    """今天 14:30."""
    return f"{day_word(at.astimezone(SHANGHAI).date(), now.astimezone(SHANGHAI).date())} {clock_time(at)}"


def spoken_moment(at: datetime, now: datetime) -> str:
    """明天 上午 9:00."""
    return f"{day_word(at.astimezone(SHANGHAI).date(), now.astimezone(SHANGHAI).date())} {spoken_time(at)}"


def span(begin: datetime, end: datetime, now: datetime) -> str:
    """今天 14:00–16:00; the second day only where it is another."""
    same = begin.astimezone(SHANGHAI).date() == end.astimezone(SHANGHAI).date()
    return f"{moment(begin, now)}–{clock_time(end) if same else moment(end, now)}"


def dated(begin: datetime, end: datetime | None = None) -> str:
    """2026年11月20日 周五 14:00–16:00: what is printed is read on another day."""
    day = begin.astimezone(SHANGHAI).date()
    text = f"{day.year}年{day.month}月{day.day}日 周{WEEKDAYS[day.weekday()]} {clock_time(begin)}"
    if end is None:
        return text
    return f"{text}–{clock_time(end) if end.astimezone(SHANGHAI).date() == day else dated(end)}"


def duration(length: timedelta) -> str:
    """45 秒, 8 分钟, 1 小时 20 分钟, 3 天."""
    seconds = int(abs(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} 秒"
    if seconds < 3600:
        return f"{seconds // 60} 分钟"
    if seconds < 86_400:
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        return f"{hours} 小时 {minutes} 分钟" if minutes else f"{hours} 小时"
    return f"{seconds // 86_400} 天"


def away(at: datetime, now: datetime) -> str:
    """8 分钟前, 还有 20 分钟."""
    return f"还有 {duration(at - now)}" if at > now else f"{duration(now - at)}前"


def phone(number: str) -> str:
    """138 0000 0001, 0935 822 0001; what is masked or no number of ours stays as it is."""
    if not number.startswith("+86"):
        return number
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.NATIONAL)
    except phonenumbers.NumberParseException:
        return number


def yuan(fen: int) -> str:
    """¥36.00, ¥12,345.60."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}¥{whole:,}.{cents:02d}"
