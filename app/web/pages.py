"""How a page is a door: the same guard, gate, transaction and Idempotency-Key as the interface's, spoken by a browser.

`Pages` is the router of a face. A form carries its key in the field `once` (`{{ once() }}` in the template), so that a
second click, or "send again" after a lost answer, does once what was asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, model_validator

from app.core.errors import Invalid
from app.core.http import Route, Router

FORM = "application/x-www-form-urlencoded"


class Form(BaseModel):
    """Base of what a form may contain. Fields left empty count as not filled in; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    once: str = ""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value not in ("", [], [""])}
        return given


class PageRoute(Route):
    """A route whose forms may carry their key in a field."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def of_browser(request: Request) -> Response:
            if self.policy.keyed and FORM in request.headers.get("content-type", ""):
                await _key_from_field(request)
            return await handle(request)

        return of_browser


async def _key_from_field(request: Request) -> None:
    body = await request.body()
    if b"%00" in body:
        raise Invalid("text_not_storable", "the form contains a NUL character")
    if "idempotency-key" not in request.headers:
        once = parse_qs(body.decode("latin-1")).get("once", [""])[0]
        request.scope["headers"] = [*request.scope["headers"], (b"idempotency-key", once.encode("latin-1", "replace"))]
        del request._headers  # read again, with the key


class Pages(Router):
    """A Router for people: its doors are not in the interface's description, and answer in HTML."""

    def __init__(self) -> None:
        super().__init__(route_class=PageRoute, include_in_schema=False)


def see(address: str) -> Response:
    """Go on at another page, after a form has done what it was for."""
    return RedirectResponse(address, 303)
