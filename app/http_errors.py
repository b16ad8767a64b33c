"""The one place where a failure becomes an HTTP answer: `application/problem+json` (RFC 9457).

Every answer has `type, title, status, detail, code, request_id`, and `errors` where fields are to blame. An input
is never quoted back, and what we did not foresee says nothing but its request id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.core import log
from app.core.errors import (
    Conflict,
    Error,
    Forbidden,
    Invalid,
    NotFound,
    Stale,
    TooMany,
    Unauthorized,
    Unavailable,
)
from app.core.sqlstate import as_unavailable, is_unacceptable, sqlstate_of
from app.web import refusals

MEDIA_TYPE = "application/problem+json"
STATUS: tuple[tuple[type[Error], int], ...] = (
    (Invalid, 422),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Stale, 412),
    (Conflict, 409),
    (TooMany, 429),
    (Unavailable, 503),
)
"""First match counts, so a more special word stands before the more general."""
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; older Pythons say otherwise

MAX_ERRORS = 50
_QUOTING = {"union_tag_invalid": "not one of the known kinds", "uuid_parsing": "not a UUID"}
_OWN = frozenset({"type", "title", "status", "detail", "code", "request_id", "errors"})
INTERFACES = ("/v1/", "/channels/")
"""Where programs are talked to, whoever asks."""
_log = log.get("http")


def install(app: FastAPI) -> None:
    """Let every failure that can be named answer with a problem document; `app/middleware.py` asks
    `unforeseen` about the rest."""
    app.add_exception_handler(Error, _ours)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _framework)
    for unreadable in (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        app.add_exception_handler(unreadable, _unreadable)
    app.add_exception_handler(ClientDisconnect, _gone)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str,
    errors: list[dict[str, str]] | None = None,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document. `facts` become members of it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    if errors:
        body["errors"] = errors
    body |= {name: value for name, value in (facts or {}).items() if name not in _OWN}
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


def answer_for(failure: Exception, request_id: str) -> Response | None:
    """The answer to a failure we can name; None for the unforeseen."""
    if isinstance(failure, Error):
        return _of_error(failure, request_id)
    if away := as_unavailable(failure):
        return _of_error(away, request_id)
    state = sqlstate_of(failure)
    if state in {"23505", "23P01"}:
        return _of_error(Conflict("conflict", "somebody was first"), request_id)
    if state in {"23502", "23503", "23514"} or is_unacceptable(failure):
        return _of_error(Invalid("value_not_acceptable", "a value cannot be stored or refers to nothing"), request_id)
    return None


def _of_error(failure: Error, request_id: str) -> Response:
    status = next(number for kind, number in STATUS if isinstance(failure, kind))
    headers = {}
    if isinstance(failure, Unavailable):
        headers["Retry-After"] = str(failure.retry_after_s)
    if isinstance(failure, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    errors = None
    if isinstance(failure, Invalid) and failure.field:
        pointer = _pointer(failure.field.split("."))
        errors = [{"pointer": pointer, "code": failure.code, "detail": failure.detail}]
    return problem(
        status,
        failure.code,
        failure.detail,
        request_id=request_id,
        errors=errors,
        facts=failure.facts,
        headers=headers,
    )


async def _ours(request: Request, failure: Exception) -> Response:
    return _for_reader(request, _of_error(cast(Error, failure), request_id_of(request)))


async def _not_valid(request: Request, failure: Exception) -> Response:
    """Pydantic's findings as JSON pointers (RFC 6901), without the values it found."""
    errors = []
    for found in cast(RequestValidationError, failure).errors()[:MAX_ERRORS]:
        location, *path = found["loc"]
        code = str(found["type"])
        if code == "json_invalid":
            path = []
        errors.append(
            {
                "location": str(location),
                "pointer": _pointer(path),
                "code": code,
                "detail": _QUOTING.get(code) or str(found["msg"])[:200],
            }
        )
    detail = "some of what was sent is not valid"
    return _for_reader(request, problem(422, "invalid", detail, request_id=request_id_of(request), errors=errors))


async def _framework(request: Request, failure: Exception) -> Response:
    """What the framework refuses: no such path, no such method, a body that cannot be read."""
    refused = cast(HTTPException, failure)
    if refused.status_code == 400:
        return await _unreadable(request, failure)
    phrase = TITLES.get(refused.status_code) or HTTPStatus(refused.status_code).phrase
    code = re.sub(r"[^a-z]+", "_", phrase.lower())
    request_id = request_id_of(request)
    answer = problem(refused.status_code, code, phrase.lower(), request_id=request_id, headers=refused.headers)
    return _for_reader(request, answer)


async def _unreadable(request: Request, _failure: Exception) -> Response:
    detail = "the body cannot be read as what it says it is"
    return _for_reader(request, problem(422, "body_malformed", detail, request_id=request_id_of(request)))


async def _gone(_request: Request, _failure: Exception) -> Response:
    return Response(status_code=499)  # nobody is there to read it; the number is nginx's


def unforeseen(request: Request, failure: Exception) -> Response:
    """The answer to a failure that no handler took, and a line in the log without anybody's data."""
    request_id = request_id_of(request)
    route = getattr(request.scope.get("route"), "path", None)
    what = log.describe(failure)
    if (answer := answer_for(failure, request_id)) is not None:
        # A room should have said this in its own words, or refused earlier.
        _log.warning("failure_named_at_the_edge", route=route, error=what, request_id=request_id)
        return _for_reader(request, answer)
    _log.error("unforeseen_failure", route=route, error=what, request_id=request_id)
    detail = "this should not have happened; it is logged"
    return _for_reader(request, problem(500, "internal_error", detail, request_id=request_id))


def _for_reader(request: Request, answer: Response) -> Response:
    """Problem documents are for programs; somebody with a browser gets a page that says the same."""
    if request.scope["path"].startswith(INTERFACES) or not refusals.wants_page(request):
        return answer
    page = refusals.for_browser(request, orjson.loads(answer.body))
    if "retry-after" in answer.headers:
        page.headers["Retry-After"] = answer.headers["retry-after"]
    return page


def request_id_of(request: Request) -> str:
    """The id the request came in with or was given."""
    return str(getattr(request.state, "request_id", ""))


def _pointer(path: list[Any] | list[str]) -> str:
    return "".join("/" + str(step)[:100].replace("~", "~0").replace("/", "~1") for step in path[:20])
