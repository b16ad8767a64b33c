"""What callers of the account doors send and get."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.core.text import Body, View, Word


def _body(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


def _view(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [example]})


Username = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,39}$")
]
Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]
DivisionCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$")]
PhoneText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40)]
Role = Literal[
    "operator",
    "supervisor",
    "settlement_clerk",
    "finance_approver",
    "auditor",
    "administrator",
    "security_administrator",
    "station",
]
Roles = Annotated[list[Role], Field(min_length=1, max_length=8)]
Divisions = Annotated[list[DivisionCode], Field(max_length=100)]
Vendor = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
KeyKind = Literal["provider", "telephony", "device", "app"]


class SignIn(Body):
    model_config = _body({"username": "operator1", "password": "correct horse battery"})

    username: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    otp: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=12)] = None


class SessionView(View):
    model_config = _view(
        {
            "token": "st_kUu0Xn7pQm…",
            "expires_at": "2026-11-22T08:00:00Z",
            "roles": ["operator"],
            "divisions": ["620300"],
        }
    )

    token: str
    expires_at: datetime
    roles: list[str]
    divisions: list[str]


class CallerView(View):
    """Who you are to us."""

    model_config = _view(
        {"kind": "staff", "id": "0193…", "name": "王敏", "roles": ["operator"], "divisions": ["620300"]}
    )

    kind: str
    id: str | None
    name: str
    roles: list[str]
    divisions: list[str]


class AskCode(Body):
    model_config = _body({"phone": "13800000000"})

    phone: PhoneText


class CodeAsked(View):
    model_config = _view({"expires_in_s": 300})

    expires_in_s: int


class RedeemCode(Body):
    model_config = _body({"phone": "13800000000", "code": "123456"})

    phone: PhoneText
    code: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{6}$")]


class PhoneSessionView(View):
    model_config = _view({"token": "fa_kUu0Xn7pQm…", "expires_at": "2026-12-22T08:00:00Z"})

    token: str
    expires_at: datetime


class NewStaffBody(Body):
    model_config = _body(
        {
            "username": "wangmin",
            "name": "王敏",
            "password": "correct horse battery",
            "roles": ["operator"],
            "divisions": ["620300"],
            "otp": True,
        }
    )

    username: Username
    name: Word
    password: Password
    roles: Roles
    divisions: Divisions
    otp: bool = False


class ChangeStaffBody(Body):
    model_config = _body({"roles": ["supervisor"]})

    name: Word | None = None
    password: Password | None = None
    roles: Roles | None = None
    divisions: Divisions | None = None
    status: Literal["active", "disabled"] | None = None


class StaffView(View):
    model_config = _view(
        {
            "id": "01935d2e-7b1a-7c3e-9f00-2f5f1a6b7c8d",
            "username": "wangmin",
            "name": "王敏",
            "roles": ["operator"],
            "divisions": ["620300"],
            "status": "active",
            "has_otp": True,
            "version": 1,
        }
    )

    id: UUID
    username: str
    name: str
    roles: list[str]
    divisions: list[str]
    status: str
    has_otp: bool
    version: int


class NewStaffView(StaffView):
    otp_uri: str | None = None
    """For the authenticator app; shown this once."""


class NewKeyBody(Body):
    model_config = _body(
        {"kind": "provider", "name": "金昌某养老服务公司", "provider_id": "01935d2e-7b1a-7c3e-9f00-2f5f1a6b7c8d"}
    )

    kind: KeyKind
    name: Word
    provider_id: UUID | None = None
    vendors: Annotated[list[Vendor] | None, Field(min_length=1, max_length=40)] = None
    """Of a device key: the makers it speaks for, as in the path of their door."""


class SecretView(View):
    """A secret is shown this once."""

    model_config = _view({"key": "pr_Zk3vJ8wQmT0aYx1B", "secret": "u2Jw…"})

    key: str
    secret: str


class KeyView(View):
    model_config = _view(
        {
            "key": "pr_Zk3vJ8wQmT0aYx1B",
            "kind": "provider",
            "provider_id": "01935d2e-7b1a-7c3e-9f00-2f5f1a6b7c8d",
            "name": "金昌某养老服务公司",
            "active": True,
            "created_at": "2026-11-21T08:00:00Z",
            "rotated_at": None,
        }
    )

    key: str
    kind: KeyKind
    provider_id: UUID | None
    vendors: list[str] | None = None
    name: str
    active: bool
    created_at: datetime
    rotated_at: datetime | None


class KeyList(View):
    items: list[KeyView]


class AuditEntryView(View):
    model_config = _view(
        {
            "id": "01935d2e-7b1a-7c3e-9f00-2f5f1a6b7c8d",
            "at": "2026-11-21T08:00:00Z",
            "actor": "staff:01935d2e-7b1a-7c3e-9f00-000000000001",
            "action": "elders.reveal",
            "object_type": "elder",
            "object_id": "01935d2e-7b1a-7c3e-9f00-000000000002",
            "fields": ["phone"],
            "reason": "回访",
            "request_id": "5f0c…",
        }
    )

    id: UUID
    at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    fields: list[str]
    reason: str | None
    request_id: str | None
