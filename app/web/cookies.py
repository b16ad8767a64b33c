"""The session of a browser: one cookie, out of reach of scripts and of other sites."""

from __future__ import annotations

from datetime import datetime

from fastapi import Response

from app.accounts.guard import COOKIE
from app.core import clock


def remember(response: Response, token: str, expires_at: datetime) -> None:
    """Browsers send `__Host-` cookies over TLS, and to the machine itself."""
    left = max(0, int((expires_at - clock.now()).total_seconds()))
    response.set_cookie(COOKIE, token, max_age=left, path="/", secure=True, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
