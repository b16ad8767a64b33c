"""What the generated OpenAPI document cannot know by itself: failures, keys and proofs common to all operations."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.accounts.policy import ACTIONS, FAMILY, PUBLIC
from app.core.http import Route, routes_of

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details; `code` is stable.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": ["offer_expired"]},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

ALWAYS = {
    "422": "The input cannot be meant",
    "429": "Too often; see Retry-After",
    "503": "Just now impossible; see Retry-After",
}
GUARDED = {"401": "Not signed in, or the signature does not hold", "403": "Not allowed to do this"}
ADDRESSED = {"404": "Not there, or not there for you"}
CHANGING = {"409": "Somebody was first, or the state forbids it", "412": "Another version is current"}

SCHEMES = {
    "session": {"type": "http", "scheme": "bearer", "description": "Staff and families: `POST /v1/sessions`."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": "Systems: X-App-Key, X-Timestamp, X-Nonce and X-Signature over the whole request.",
    },
}

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Unique per operation; a repetition gets the first answer again, for at least 30 days.",
    "schema": {"type": "string", "maxLength": 255},
    "example": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
}


def install(app: FastAPI) -> None:
    """Let `/openapi.json` tell the whole contract; it is made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = _completed(app, made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(app: FastAPI, made: dict[str, Any]) -> dict[str, Any]:
    components = made.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["securitySchemes"] = SCHEMES
    for route in routes_of(app):
        if not isinstance(route, Route) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = made["paths"][route.path_format].get(method.lower())
            if operation is not None:
                _complete(operation, route, method)
    return made


def _complete(operation: dict[str, Any], route: Route, method: str) -> None:
    allowed = ACTIONS[route.policy.action]
    failures = dict(ALWAYS)
    if PUBLIC not in allowed:
        failures |= GUARDED
        signed = allowed & {"provider", "telephony", "device", "app"}
        people = allowed - {"provider", "telephony", "device", "app"}
        operation["security"] = [{"session": []}] * bool(people or FAMILY in allowed) + [{"signature": []}] * bool(
            signed
        )
    if "{" in route.path_format:
        failures |= ADDRESSED
    if method != "GET":
        failures |= CHANGING
    if route.policy.keyed:
        operation.setdefault("parameters", []).append(KEY)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, meaning in sorted(failures.items()):
        operation["responses"][status] = {"description": meaning, "content": content}
