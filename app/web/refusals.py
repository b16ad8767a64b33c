"""What a browser sees when something fails: a page in our words, the sign-in page, or a line on the page it is on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.web.faces import STAFF_SIGN_IN, face_of
from app.web.rendering import rendered
from app.web.words import words_of


def wants_page(request: Request) -> bool:
    """Browsers say that they would like HTML; programs, asking for anything, get a problem document."""
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


def in_place(request: Request) -> bool:
    """Does a script ask, for a part of the page it is on?"""
    return "hx-request" in request.headers


def for_browser(request: Request, problem: dict[str, Any]) -> Response:
    """The page that stands for a problem document (RFC 9457)."""
    status, code = int(problem["status"]), str(problem["code"])
    if status == 401 and code != "sign_in_failed":
        where = sign_in_of(request)
        return Response(headers={"HX-Redirect": where}) if in_place(request) else RedirectResponse(where, 303)
    if request.scope["path"].startswith("/c/"):  # a cry for help that did not get through: there is a telephone
        return HTMLResponse(rendered("frame/card.html", said="failed"), status)
    values = {
        "problem": problem,
        "what": _words(request, status, code),
        "fields": fields_of(problem),
        "home": _home(request),
    }
    if in_place(request):
        return HTMLResponse(
            rendered("frame/refusal_line.html", **values), status, {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"}
        )
    return HTMLResponse(rendered("frame/refusal.html", **values), status)


def _words(request: Request, status: int, code: str) -> str:
    """What is said about it: in the face's own words where it has some, by the code before the number."""
    face = face_of(request.scope["path"])
    tables = [words_of("frame").refusals]
    if face is not None and "own_refusals" in words_of(face.name):
        tables.insert(0, words_of(face.name).own_refusals)
    return next((str(said[key]) for said in tables for key in (code, str(status)) if key in said), tables[-1].other)


def fields_of(problem: dict[str, Any]) -> dict[str, str]:
    """Which fields of a form to look at, by name, and what the pages call them; those a form does not show are left
    out."""
    labels = words_of("frame").fields
    names = (str(error.get("pointer", "")).split("/")[1:2] for error in problem.get("errors", ()))
    return {name: labels[name] for (name,) in filter(None, names) if name in labels}


def sign_in_of(request: Request) -> str:
    """Where to sign in for this page, and to come back from."""
    here = request.headers.get("hx-current-url") if "hx-request" in request.headers else None
    path = request.scope["path"] if here is None else _local_part(here)
    back = path if request.method == "GET" or here is not None else _home(request)
    face = face_of(path)
    return f"{STAFF_SIGN_IN if face is None else face.sign_in}?next={quote(back)}"


def local(address: str | None, otherwise: str) -> str:
    """An address on this site that somebody may be sent to after signing in."""
    plain = address is not None and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain and address is not None and address.isprintable() else otherwise


def _local_part(address: str) -> str:
    return "/" + address.split("/", 3)[3] if address.count("/") >= 3 else "/"


def _home(request: Request) -> str:
    face = face_of(request.scope["path"])
    return "/" if face is None else face.home
