"""Families sign in with their telephone and a code. What is answered is the same for every telephone."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form as InForm
from fastapi import Query, Request, Response
from pydantic import Field

from app.accounts import codes
from app.core.errors import Invalid, Unauthorized
from app.core.http import DatabaseDep, allow
from app.elders import signing_in
from app.web import cookies
from app.web.pages import Form, Pages, see
from app.web.refusals import local
from app.web.rendering import page

router = Pages()

HOME = "/family"
Next = Annotated[str | None, Query(max_length=500)]


class PhoneForm(Form):
    phone: str = Field(default="", max_length=40)
    next: str | None = Field(default=None, max_length=500)


class CodeForm(PhoneForm):
    code: str = Field(default="", max_length=12)


@router.get("/family/sign-in")
@allow("family.sign_in", own_transaction=True)
async def phone_page(request: Request, next: Next = None) -> Response:
    return page(request, "family/sign_in.html", next=next, phone="", wrong=False)


@router.post("/family/sign-in/code")
@allow("family.codes", keyed=False, own_transaction=True)
async def send_code(database: DatabaseDep, request: Request, form: Annotated[PhoneForm, InForm()]) -> Response:
    """The telephone stays in the form and never stands in an address."""
    try:
        await signing_in.send_code(database, form.phone)
    except Invalid:
        return page(request, "family/sign_in.html", status=422, next=form.next, phone=form.phone, wrong=True)
    return page(request, "family/code.html", next=form.next, phone=form.phone, wrong=False)


@router.post("/family/sign-in")
@allow("family.sign_in", keyed=False, own_transaction=True)
async def sign_in(request: Request, database: DatabaseDep, form: Annotated[CodeForm, InForm()]) -> Response:
    try:
        session = await codes.open_family_session(database, form.phone, form.code)
    except (Unauthorized, Invalid):
        return page(request, "family/code.html", status=401, next=form.next, phone=form.phone, wrong=True)
    answer = see(local(form.next, HOME))
    cookies.remember(answer, session.token, session.expires_at)
    return answer
