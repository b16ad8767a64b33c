"""The faces as a table: by which addresses one knows them, who signs in where, and where staff begin."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.accounts.policy import APPROVER, AUDITOR, CLERK, OPERATOR, SUPERVISOR

STAFF = "staff"
STAFF_SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Face:
    name: str
    """Its folder, and the first step of its addresses."""
    other_steps: tuple[str, ...] = ()
    """Further first steps that are its own: `f` of a family's link."""
    kind: str = STAFF
    """The kind of caller it is for."""
    sign_in: str = STAFF_SIGN_IN
    roles: tuple[str, ...] = ()
    """Staff who begin here."""

    @property
    def home(self) -> str:
        return f"/{self.name}"


FACES = {
    face.name: face
    for face in (
        Face("console", roles=(OPERATOR,)),
        Face("caregiver", kind="caregiver", sign_in="/caregiver/sign-in"),
        Face("family", other_steps=("f",), kind="family", sign_in="/family/sign-in"),
        Face("cockpit", roles=(SUPERVISOR, AUDITOR, CLERK, APPROVER)),
        Face("portal"),
    )
}
"""In the order in which somebody with several roles begins."""
_BY_STEP = {step: face for face in FACES.values() for step in (face.name, *face.other_steps)}


def face_of(path: str) -> Face | None:
    """Whose page an address is, if it is one of a face's."""
    return _BY_STEP.get(path.split("/")[1])


def sign_in_of(kind: str) -> str:
    """Where callers of this kind sign in."""
    return next((face.sign_in for face in FACES.values() if face.kind == kind), STAFF_SIGN_IN)


def start_of(roles: Collection[str]) -> str:
    """Where staff with these roles begin; the front page for those who have no face."""
    return next((face.home for face in FACES.values() for role in face.roles if role in roles), "/")
