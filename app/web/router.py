"""The frame's own pages, the health checks, and the faces."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from fastapi import APIRouter, Request, Response

from app import __version__
from app.core.config import Settings
from app.core.json import dumps
from app.web import card, description, health, signing_in
from app.web.faces import FACES
from app.web.rendering import page

router = APIRouter(tags=["service"])


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
    return page(
        request,
        "frame/front.html",
        version=__version__,
        state=await health.readiness(request.app.state.database),
        accounts=_demo_accounts(settings),
        folder=settings.data_dir / "demo",
    )


@router.get("/docs", include_in_schema=False)
async def interface_page(request: Request) -> Response:
    return page(request, "frame/interface.html", **description.of(request.app.openapi()))


router.include_router(card.open_router)
router.include_router(card.router)
router.include_router(signing_in.router)
for face in FACES:
    router.include_router(import_module(f"app.web.{face}.router").router)


def _demo_accounts(settings: Settings) -> list[dict[str, Any]]:
    """The demo's staff accounts; a deployment without the demo world has no such file."""
    if not settings.demo or settings.environment == "production":
        return []
    try:
        accounts = json.loads((settings.data_dir / "demo" / "credentials.json").read_text(encoding="utf-8"))["staff"]
    except (OSError, ValueError, KeyError):
        return []
    return list(accounts)
