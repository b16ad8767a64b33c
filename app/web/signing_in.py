"""Staff sign in and out. Families and caregivers sign in by telephone, on pages of their own faces."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form as InForm
from fastapi import Query, Request, Response
from pydantic import Field

from app.accounts import passwords, sessions
from app.core.errors import Unauthorized
from app.core.http import CallerDep, DatabaseDep, TxDep, allow
from app.web import cookies, faces
from app.web.pages import Form, Pages, see
from app.web.refusals import local
from app.web.rendering import page

router = Pages()


class SignInForm(Form):
    username: str = Field(max_length=80)
    password: str = Field(max_length=200)
    otp: str | None = Field(default=None, max_length=12)
    next: str | None = Field(default=None, max_length=500)


@router.get("/sign-in")
@allow("session.open", own_transaction=True)
async def sign_in_page(request: Request, next: Annotated[str | None, Query(max_length=500)] = None) -> Response:
    return page(request, "frame/sign_in.html", next=next, username="", refused=False)


@router.post("/sign-in")
@allow("session.open", keyed=False, own_transaction=True)
async def sign_in(request: Request, database: DatabaseDep, form: Annotated[SignInForm, InForm()]) -> Response:
    hashing = passwords.of_process(request.app.state)
    try:
        session = await sessions.sign_in(database, hashing, form.username, form.password, form.otp)
    except Unauthorized:
        return page(request, "frame/sign_in.html", status=401, next=form.next, username=form.username, refused=True)
    answer = see(local(form.next, faces.start_of(session.roles)))
    cookies.remember(answer, session.token, session.expires_at)
    return answer


@router.post("/sign-out")
@allow("session.close", keyed=False)
async def sign_out(tx: TxDep, caller: CallerDep) -> Response:
    await sessions.sign_out(tx, caller)
    answer = see(faces.sign_in_of(caller.kind))
    cookies.forget(answer)
    return answer
