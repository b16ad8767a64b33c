"""What the code on an elder's card leads to: telephone numbers, and a form to ask for help, which needs no script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi import Form as InForm
from pydantic import Field

from app.core.errors import Invalid
from app.core.http import TxDep, allow
from app.core.phones import parse_phone
from app.intake import by_card
from app.web.pages import Form, Pages
from app.web.rendering import page
from app.web.words import words_of

open_router = APIRouter()
router = Pages()


class HelpForm(Form):
    note: str = Field(default="", max_length=2000)
    phone: str = Field(default="", max_length=100)

    def told(self) -> tuple[str, str | None]:
        """The note and the phone. What is no phone number goes into the note: a slip of a finger loses no cry for
        help."""
        if not self.phone:
            return self.note, None
        try:
            return self.note, parse_phone(self.phone).raw
        except Invalid:
            return str(words_of("frame").card.phone_as_typed).format(note=self.note, phone=self.phone), None


@open_router.get("/c/{token}", include_in_schema=False)
async def card_page(request: Request, token: str) -> Response:
    """The same page for every token, and without any in it; the door behind its form knows them."""
    return page(request, "frame/card.html", said=None)


@router.post("/c/{token}")
@allow("cards.help")
async def ask_for_help(
    tx: TxDep, request: Request, token: Annotated[str, Path(max_length=100)], form: Annotated[HelpForm, InForm()]
) -> Response:
    """The answer is the page itself, so that loading it again repeats the question under its old key."""
    await by_card.ask_for_help(tx, token, *form.told())
    return page(request, "frame/card.html", status=201, said="taken")
