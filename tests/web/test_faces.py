"""The table of faces: whose page an address is, who signs in where, where staff begin."""

from __future__ import annotations

import pytest

from app.accounts.policy import ADMINISTRATOR, CLERK, OPERATOR, SUPERVISOR
from app.web.faces import FACES, face_of, sign_in_of, start_of


@pytest.mark.parametrize(
    ("path", "name"),
    [("/console/board", "console"), ("/f/a-token", "family"), ("/family", "family"), ("/", None), ("/c/a-card", None)],
)
def test_whose_page_an_address_is(path: str, name: str | None) -> None:
    assert face_of(path) == (None if name is None else FACES[name])


def test_who_signs_in_where() -> None:
    where = {kind: sign_in_of(kind) for kind in ("staff", "family", "caregiver", "provider")}
    assert where == {
        "staff": "/sign-in", "family": "/family/sign-in", "caregiver": "/caregiver/sign-in", "provider": "/sign-in",
    }  # fmt: skip


def test_where_staff_begin() -> None:
    assert start_of([SUPERVISOR, OPERATOR]) == "/console", "whoever takes calls begins where they ring"
    assert start_of([CLERK]) == "/cockpit"
    assert start_of([ADMINISTRATOR]) == "/"
