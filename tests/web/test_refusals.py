"""What a refusal tells somebody with a browser: which fields to look at, in the page's words."""

from __future__ import annotations

from typing import Any

from app.web.refusals import fields_of
from app.web.rendering import rendered

ERRORS = [
    {"location": "body", "pointer": "/phone", "code": "phone_malformed", "detail": "3 to 15 digits"},
    {"location": "body", "pointer": "/begin", "code": "time_parsing", "detail": "not a time"},
    {"location": "body", "pointer": "/phone", "code": "again", "detail": "twice"},
    {"location": "body", "pointer": "/nobody_sees_this", "code": "missing", "detail": "hidden"},
    {"location": "body", "pointer": "", "code": "json_invalid", "detail": "no field at all"},
]


def problem(errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": 422, "code": "invalid", "request_id": "4711", "errors": errors}


def test_fields_are_named_once_and_only_those_a_page_shows() -> None:
    assert fields_of(problem(ERRORS)) == {"phone": "电话", "begin": "开始时间"}
    assert fields_of(problem([])) == {}
    assert fields_of({"status": 409}) == {}


def test_both_kinds_of_refusal_name_them() -> None:
    values: dict[str, Any] = {
        "problem": problem(ERRORS),
        "fields": fields_of(problem(ERRORS)),
        "what": "…",
        "home": "/",
    }
    for template in ("frame/refusal.html", "frame/refusal_line.html"):
        assert "电话、开始时间" in rendered(template, **values)
        assert "请看" not in rendered(template, **values | {"fields": {}})
    assert 'data-fields="phone begin"' in rendered("frame/refusal_line.html", **values)
