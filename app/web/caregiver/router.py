"""The pages of the caregiver: signing in, today, what it came to; and what makes them an application."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Request, Response
from pydantic import Field, StringConstraints

from app.core.errors import Invalid, Unauthorized
from app.core.http import CallerDep, DatabaseDep, TxDep, allow
from app.providers import signing_in
from app.settlement import caregivers as settlement
from app.visits import caregivers as visits
from app.web import cookies
from app.web.pages import Form, Pages, see
from app.web.rendering import page, rendered
from app.web.static_files import HERE, url_of
from app.web.words import words_of

router = Pages()

SHELL = "/caregiver/shell"
FILES = (
    "frame/frame.css", "frame/theme.js", "frame/icon.svg", "caregiver/caregiver.css",
    *(f"caregiver/{name}.js" for name in ("store", "sync", "visits", "capture", "screen", "app")),
)  # fmt: skip
"""What the application is made of, besides its shell."""


class PhoneForm(Form):
    phone: str = Field(default="", max_length=40)
    code: Annotated[str, StringConstraints(max_length=6)] | None = None
    device_key: Annotated[str, StringConstraints(max_length=100)] | None = None


class EmployerForm(Form):
    caregiver_id: UUID


@router.get("/caregiver/sign-in")
@allow("caregiver.sign_in", own_transaction=True)
async def sign_in_page(request: Request) -> Response:
    return page(request, "caregiver/sign_in.html", phone="", sent=False, refused=False)


@router.post("/caregiver/sign-in/code")
@allow("caregiver.sign_in", keyed=False)
async def send_code(request: Request, tx: TxDep, form: Annotated[PhoneForm, InForm()]) -> Response:
    await signing_in.send_code(tx, form.phone)
    return page(request, "caregiver/sign_in.html", phone=form.phone, sent=True, refused=False)


@router.post("/caregiver/sign-in")
@allow("caregiver.sign_in", keyed=False, own_transaction=True)
async def sign_in(request: Request, database: DatabaseDep, form: Annotated[PhoneForm, InForm()]) -> Response:
    try:
        made = await signing_in.sign_in(database, form.phone, form.code or "", form.device_key)
    except (Unauthorized, Invalid):
        return page(request, "caregiver/sign_in.html", status=401, phone=form.phone, sent=False, refused=True)
    answer = see("/caregiver")
    cookies.remember(answer, made.session.token, made.session.expires_at)
    return answer


@router.get("/caregiver")
@allow("caregiver.work")
async def today(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    day = await visits.own_visits(tx, caller)
    return page(request, "caregiver/today.html", day=day, state={"day": day.model_dump(mode="json")})


@router.get("/caregiver/earnings")
@allow("caregiver.work")
async def earnings(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    elsewhere = await signing_in.elsewhere(tx, caller)
    return page(request, "caregiver/earnings.html", earned=await settlement.earnings(tx, caller), elsewhere=elsewhere)


@router.post("/caregiver/employer")
@allow("caregiver.work", keyed=False)
async def change_employer(tx: TxDep, caller: CallerDep, form: Annotated[EmployerForm, InForm()]) -> Response:
    session = await signing_in.change_employer(tx, caller, form.caregiver_id)
    answer = see("/caregiver")
    cookies.remember(answer, session.token, session.expires_at)
    return answer


@router.get(SHELL)
@allow("caregiver.sign_in", own_transaction=True)
async def shell() -> Response:
    """Today's page without anybody's data, for when there is no net."""
    return Response(_shell(), media_type="text/html")


@router.get("/caregiver/manifest.webmanifest")
@allow("caregiver.sign_in", own_transaction=True)
async def manifest() -> Response:
    said = words_of("caregiver")
    icon = {"src": url_of("frame/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    described: dict[str, Any] = {
        "id": "/caregiver", "start_url": "/caregiver", "scope": "/caregiver", "display": "standalone",
        "lang": "zh-CN", "name": said.name, "short_name": said.short_name, "theme_color": "#b5400f",
        "background_color": "#fbfaf8", "icons": [icon],
    }  # fmt: skip
    return Response(json.dumps(described, ensure_ascii=False), media_type="application/manifest+json")


@router.get("/caregiver/sw.js")
@allow("caregiver.sign_in", own_transaction=True)
async def worker() -> Response:
    """The service worker, preceded by what it keeps; another shell or file makes it another worker."""
    headers = {"Service-Worker-Allowed": "/caregiver", "Cache-Control": "no-cache"}
    return Response(_worker(), media_type="text/javascript", headers=headers)


@cache
def _shell() -> str:
    return rendered("caregiver/today.html", caller=None, path=SHELL, day=None, state={})


@cache
def _worker() -> str:
    kept = [SHELL, *(url_of(name) for name in FILES)]
    scripts = [url_of("caregiver/store.js"), url_of("caregiver/sync.js")]
    code = (HERE / "caregiver" / "static" / "sw.js").read_text(encoding="utf-8")
    version = hashlib.sha256((_shell() + code + "".join(kept)).encode()).hexdigest()[:12]
    return f"const VERSION = {json.dumps(version)}, KEPT = {json.dumps(kept)}, SCRIPTS = {json.dumps(scripts)};\n{code}"
