"""The front page, the interface's description, and the health checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader

from app import __version__
from app.core.config import Settings
from app.core.json import dumps
from app.web import description, health

router = APIRouter(tags=["service"])

_pages = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="Database, migrations, workers",
    responses={503: {"description": "The database is away or at another revision"}},
)
async def readyz(request: Request) -> Response:
    state = await health.readiness(request.app.state.database)
    return Response(dumps(state), 503 if state["status"] == "unavailable" else 200, media_type="application/json")


@router.get("/", include_in_schema=False)
async def front_page(request: Request) -> Response:
    settings: Settings = request.app.state.settings
    page = _pages.get_template("front.html").render(
        version=__version__,
        state=await health.readiness(request.app.state.database),
        accounts=_demo_accounts(settings),
        credentials_file=_credentials(settings),
    )
    return HTMLResponse(page)


@router.get("/c/{token}", include_in_schema=False)
async def card_page(token: str) -> Response:
    """What the code on an elder's card leads to: the same page for every token; the door behind its form knows them."""
    return HTMLResponse(_pages.get_template("card.html").render())


@router.get("/docs", include_in_schema=False)
async def interface_page(request: Request) -> Response:
    document = request.app.openapi()
    return HTMLResponse(_pages.get_template("interface.html").render(**description.of(document)))


def _credentials(settings: Settings) -> Path:
    return settings.data_dir / "demo" / "credentials.json"


def _demo_accounts(settings: Settings) -> list[dict[str, Any]]:
    """The demo's staff accounts; a deployment without the demo world has no such file."""
    if not settings.demo or settings.environment == "production":
        return []
    try:
        accounts = json.loads(_credentials(settings).read_text(encoding="utf-8"))["staff"]
    except (OSError, ValueError, KeyError):
        return []
    return list(accounts)
