"""The frame's stories: signing in, and what is seen when something fails."""

from __future__ import annotations

from typing import Any

from app.web.stories import OPERATOR, Story
from app.web.words import words_of


def stories() -> dict[str, Story]:
    return {
        "sign-in": Story("frame/sign_in.html", {"next": "/console", "username": "", "refused": False}),
        "sign-in-refused": Story("frame/sign_in.html", {"next": None, "username": "zuoxi1", "refused": True}),
        "front": Story("frame/front.html", _front("ready", "ok")),
        "front-database-away": Story("frame/front.html", _front("unavailable", "unreachable", "unknown")),
        "interface": Story("frame/interface.html", _interface()),
        "card": Story("frame/card.html", {"said": None}),
        "card-taken": Story("frame/card.html", {"said": "taken"}),
        "card-failed": Story("frame/card.html", {"said": "failed"}),
        **{f"refusal-{status}": Story("frame/refusal.html", _refusal(status)) for status in (403, 404, 409, 422, 500)},
        "refusal-in-place": Story("frame/refusal_line.html", _refusal(422), OPERATOR, within="desk"),
    }


def _front(status: str, database: str, others: str = "ok") -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "state": {"status": status, "checks": {"database": database, "migrations": others, "workers": others}},
        "accounts": [
            {"username": "zuoxi1", "password": "example-only", "role": "operator"},
            {"username": "zhuguan1", "password": "example-only", "role": "supervisor"},
        ],
        "folder": "var/demo",
    }


def _refusal(status: int) -> dict[str, Any]:
    said = words_of("frame").refusals
    problem = {"status": status, "code": "example", "detail": "an example", "request_id": "0123456789abcdef"}
    fields = {"phone": words_of("frame").fields.phone} if status == 422 else {}
    return {"problem": problem, "what": said.get(str(status), said.get("other")), "fields": fields, "home": "/console"}


def _interface() -> dict[str, Any]:
    operation = {
        "id": "get-v1-orders", "method": "GET", "path": "/v1/orders", "summary": "Orders",
        "description": "Newest first.",
        "parameters": [{"name": "limit", "in": "query", "required": False,
                        "schema": {"description": "at most 200"}}],
        "body": '{"reason": "…"}', "answers": {"200": "Orders", "422": "Not valid"},
    }  # fmt: skip
    info = {"title": "Nuanxian 暖线", "version": "0.1.0", "description": "The public contract."}
    return {"info": info, "count": 1, "areas": {"orders": [operation]}}
