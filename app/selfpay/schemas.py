"""What goes in and out of the doors of payments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from app.core.text import Body, Line, View
from app.selfpay.lifecycle import Status, Way

Division = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")]
Pem = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
Serial = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_]{8,64}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,32}$")]


class MerchantBody(Body):
    """`division`: whose payments it takes, with what lies in it. Keys are PEM."""

    division: Division
    mchid: Identifier
    appid: Identifier
    api_key: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{32}$")]
    private_key: Pem
    private_serial: Serial
    platform_keys: Annotated[dict[Serial, Pem], Field(min_length=1, max_length=8)]
    """WeChat's public keys or platform certificates by serial number; no other is believed."""
    active: bool = True

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "division": "620300",
                    "mchid": "1900000109",
                    "appid": "wx0000000000000000",
                    "api_key": "abcdefghijklmnopqrstuvwxyz012345",
                    "private_key": "apiclient_key.pem, as text",
                    "private_serial": "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C",
                    "platform_keys": {"PUB_KEY_ID_0119000001092026": "pub_key.pem, as text"},
                }
            ]
        },
    )


class MerchantView(View):
    merchant: str
    division: str
    mchid: str
    appid: str
    private_serial: str
    platform_serials: list[str]
    active: bool


class PaymentBody(Body):
    """`jsapi`: on a page inside WeChat, of the person `openid`; `native`: by scanning a code."""

    way: Way
    openid: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,128}$")] | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"way": "native"}]})

    @model_validator(mode="after")
    def _page_of_somebody(self) -> PaymentBody:
        if (self.way is Way.JSAPI) != (self.openid is not None):
            raise ValueError("jsapi takes an openid, native does not")
        return self


class PreparedView(View):
    """`code_url`: to show as a code. `page`: what a page inside WeChat opens the payment with."""

    id: UUID
    amount_fen: int
    expires_at: datetime
    code_url: str | None = None
    page: dict[str, str] | None = None


class OwnPaymentView(View):
    status: str
    amount_fen: int
    prepared_at: datetime
    paid_at: datetime | None = None


class PaymentView(View):
    id: UUID
    order_id: UUID
    merchant: str
    out_trade_no: str
    way: str
    amount_fen: int
    status: str
    prepared_at: datetime
    expires_at: datetime
    transaction_id: str | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    needs_review: str | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review_reason: str | None = None


class ReviewBody(Body):
    """`kept`: the money is rightly here. `refunded`: it was given back."""

    outcome: Literal["kept", "refunded"]
    reason: Line

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "refunded", "reason": "订单取消，已在商户平台退款"}]},
    )


class NoticeView(View):
    merchant: str
    notice_id: str
    event: str
    payment_id: UUID | None = None
    problem: str
    received_at: datetime


def payment(row: Any) -> PaymentView:
    return PaymentView(**{name: row[name] for name in PaymentView.model_fields})


def own(row: Any) -> OwnPaymentView:
    """For the family: what somebody has to look at is the centre's affair, and money is paid or not."""
    paid = row["status"] in {Status.PAID, Status.SURPLUS}
    shown = Status.PAID if paid else row["status"]
    return OwnPaymentView(
        status=shown, amount_fen=row["amount_fen"], prepared_at=row["prepared_at"], paid_at=row["paid_at"]
    )
