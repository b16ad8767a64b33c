"""The storybook as a small site of its own: every story at /story/…, and a list of them. No database, no session."""

from __future__ import annotations

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from app.web import light, static_files, stories
from app.web.headers import SECURITY_HEADERS

HEADERS = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}
"""The same as in the product: a page that needs more than its policy allows has to be seen to fail here."""


def create() -> Starlette:
    return Starlette(
        routes=[
            Route("/", _list),
            Route("/story/{name:path}", _one),
            *(Mount(address, files) for address, files in static_files.mounts().items()),
        ]
    )


async def _list(_request: Request) -> Response:
    links = "".join(f'<li><a href="/story/{escape(name)}">{escape(name)}</a></li>' for name, _ in stories.every())
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Storybook</title><h1>Storybook</h1>'
    return HTMLResponse(f"{head}<ul>{links}</ul>", headers=HEADERS)


async def _one(request: Request) -> Response:
    story = dict(stories.every()).get(request.path_params["name"])
    if story is None:
        return Response("no such story", 404)
    policy = {"content-security-policy": light.policy()} if story.light else {}
    return HTMLResponse(stories.told(story), headers=HEADERS | policy)
