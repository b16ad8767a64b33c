"""What administrators say about gateways."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.core.text import Body, View, Word

Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32,100}$")]
"""Long enough that nobody guesses it: `openssl rand -hex 24`."""
Endpoint = Annotated[
    str,
    StringConstraints(
        max_length=200, pattern=r"^(https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|http://127\.0\.0\.1:[0-9]{1,5})$"
    ),
]
Gap = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class GatewayBody(Body):
    """A text gateway needs `sign_name`, Tencent `app_id` too. `endpoint` only where requests go through a proxy of
    one's own. `receipt_secret` is the last part of the address entered at the company for its receipts."""

    vendor: Literal["aliyun", "tencent", "jpush"]
    key_id: Key
    key: Key
    sign_name: Word | None = None
    app_id: Word | None = None
    region: Word = "ap-guangzhou"
    endpoint: Endpoint | None = None
    receipt_secret: Secret | None = None
    active: bool = True

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "vendor": "aliyun",
                    "key_id": "an-access-key-id",
                    "key": "an-access-key-secret",
                    "sign_name": "金昌12349",
                    "receipt_secret": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978",
                }
            ]
        },
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.vendor != "jpush" and self.sign_name is None:
            raise ValueError("a text gateway needs sign_name")
        if self.vendor == "tencent" and self.app_id is None:
            raise ValueError("tencent needs app_id")
        if self.vendor == "jpush" and self.receipt_secret is not None:
            raise ValueError("jpush sends no receipts here")
        return self

    def settings(self) -> dict[str, str]:
        """What is kept sealed."""
        kept = {"key_id": self.key_id, "key": self.key}
        if self.vendor != "jpush":
            kept["sign_name"] = self.sign_name or ""
        if self.vendor == "tencent":
            kept |= {"app_id": self.app_id or "", "region": self.region}
        return kept


class LetterBody(Body):
    """`params`: our gaps in the order of the company's template. For Aliyun its variables are named like our gaps.
    `link_token` is the last part of `link`, where a company forbids addresses as values."""

    external_code: Word
    params: Annotated[list[Gap], Field(max_length=20)]
    valid_from: date | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"external_code": "SMS_154950909", "params": ["item", "at", "link_token"]}]},
    )


class LetterView(View):
    gateway: str
    template_code: str
    valid_from: date
    external_code: str
    params: list[str]


class GatewayView(View):
    name: str
    channel: str
    vendor: str
    endpoint: str
    receipts: bool
    """Is there an address for its receipts?"""
    active: bool
    updated_at: datetime | None = None
    templates: list[LetterView] = Field(default_factory=list)


class GatewayList(View):
    items: list[GatewayView]
    without_gateway: list[str]
    """Channels that no active gateway carries. In production nothing leaves by them: of what should, an operator calls
    for what is to be said at all."""
