"""How a template becomes an answer: its words, its files, and how times and money are written."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from app.accounts import policy
from app.core import clock, phones
from app.core.ids import new_secret
from app.web import wording
from app.web.faces import FACES
from app.web.static_files import HERE, url_of
from app.web.words import words_of

_ESCAPED = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@cache
def environment() -> Environment:
    """Templates by name: `console/board.html`, or `frame/base.html` for everybody. A missing value raises."""
    folders = {face: FileSystemLoader(HERE / face / "templates") for face in FACES}
    loader = PrefixLoader(folders | {"frame": FileSystemLoader(HERE / "templates")})
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {
        "static": url_of,
        "once": lambda: new_secret(18),
        "timedelta": timedelta,
        "allows": policy.may,
        "hotline": phones.hotline,
    }
    made.filters |= {
        "yuan": wording.yuan,
        "clock_time": wording.clock_time,
        "spoken_time": wording.spoken_time,
        "duration": wording.duration,
        "moment": lambda at: wording.moment(_instant(at), clock.now()),
        "spoken_moment": lambda at: wording.spoken_moment(_instant(at), clock.now()),
        "away": lambda at: wording.away(_instant(at), clock.now()),
        "span": lambda begin, end: wording.span(_instant(begin), _instant(end), clock.now()),
        "dated": wording.dated,
        "day_word": lambda day: wording.day_word(_day(day), clock.today()),
        "phone": wording.phone,
        "iso": lambda at: _instant(at).isoformat(),
        "fill": lambda text, **values: str(text).format(**values),
        "as_data": as_data,
    }
    return made


def rendered(template: str, **values: Any) -> str:
    """A template with its face's words, as text."""
    face = template.partition("/")[0]
    return environment().get_template(template).render({"t": words_of(face), "now": clock.now(), **values})


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page or a part of one, for whoever asks. The template also knows `caller` and `path`."""
    caller = getattr(request.state, "caller", None)
    return HTMLResponse(rendered(template, caller=caller, path=request.scope["path"], **values), status)


def as_data(value: Any, element_id: str) -> Markup:
    """A block of data for a page's script; not a script itself, so that the content security policy lets it be."""
    text = json.dumps(value, ensure_ascii=False, default=str).translate(_ESCAPED)
    return Markup(f'<script type="application/json" id="{element_id}">{text}</script>')  # noqa: S704 (escaped above)


def _instant(at: datetime | str) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at


def _day(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day
