"""Start-up check: no door without a lock."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from app.accounts.policy import ACTIONS
from app.core.http import Route, routes_of

DOCUMENTS = frozenset({"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"})
"""FastAPI's own pages about the interface; they show no data."""


def undeclared(app: FastAPI, *, also_fine: frozenset[str] = frozenset()) -> list[str]:
    """Routes without a policy, or with an action that is not in the table, as "GET /path: why".

    Mounted folders of static files are fine; `also_fine` names further paths, like /metrics.
    """
    return [problem for route in routes_of(app) if (problem := _problem(route, DOCUMENTS | also_fine))]


def _problem(route: BaseRoute, fine: frozenset[str]) -> str | None:
    path = getattr(route, "path", "?")
    if path in fine or (isinstance(route, Mount) and isinstance(route.app, StaticFiles)):
        return None
    methods = ",".join(sorted(getattr(route, "methods", None) or {"?"}))
    if not isinstance(route, Route):
        kind = "an ordinary route" if isinstance(route, APIRoute) else type(route).__name__
        return f"{methods} {path}: declares no policy ({kind})"
    if route.policy.action not in ACTIONS:
        return f"{methods} {path}: action {route.policy.action} is not in the table"
    return None
