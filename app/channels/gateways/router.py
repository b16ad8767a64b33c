"""The gateways' doors: what they report, and which of them we use."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Request
from fastapi.responses import JSONResponse

from app.channels import queries_gateways as queries
from app.channels.gateways import accounts, reports
from app.channels.gateways.schemas import GatewayBody, GatewayList, GatewayView, LetterBody, LetterView
from app.core import clock
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
from app.messaging import receipts

router = Router(tags=["messages"])

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
ALIYUN_REPORT = [
    {
        "phone_number": "13800000001", "send_time": "2026-11-24 09:00:00", "report_time": "2026-11-24 09:00:04",
        "success": True, "err_code": "DELIVERED", "err_msg": "用户接收成功", "sms_size": "1",
        "biz_id": "932702304080415357^0", "out_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
    }
]  # fmt: skip
PUSHED = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}, "examples": [ALIYUN_REPORT]}}
        },
    }
}


@router.post(
    "/channels/sms/{vendor}/{secret}",
    summary="Receipts of text messages; the secret in the address is the proof",
    openapi_extra=PUSHED,
)
@allow("channels.receipts", keyed=False, own_transaction=True)
async def receive_reports(
    request: Request, database: DatabaseDep, vendor: Literal["aliyun", "tencent"], secret: str
) -> JSONResponse:
    gateway = await accounts.of_secret(database, vendor, secret)
    told = reports.read(vendor, await request.body())
    # In one order everywhere, so that two pushes never wait for each other's messages.
    async with database.transaction() as tx:
        for one in sorted(told, key=lambda report: report.name):
            await receipts.note_receipt(
                tx, gateway.channel, f"{gateway.name}:{one.name}", delivered=one.delivered, failure=one.code,
                address=one.phone, message_id=one.message_id,
            )  # fmt: skip
    return JSONResponse(dict(reports.ANSWERS[vendor]))


@router.get("/v1/message-gateways", response_model=GatewayList, summary="Gateways and their templates, without keys")
@allow("keys.manage")
async def list_gateways(tx: TxDep) -> Any:
    rows, listed = await queries.gateways(tx)
    letters = [LetterView(**dict(one)) for one in listed]
    return GatewayList(
        without_gateway=sorted({*accounts.CHANNEL_OF.values()} - {row["channel"] for row in rows if row["active"]}),
        items=[
            GatewayView(**dict(row), templates=[one for one in letters if one.gateway == row["name"]]) for row in rows
        ],
    )


@router.put("/v1/message-gateways/{name}", response_model=GatewayView, summary="Add a gateway or change its keys")
@allow("keys.manage")
async def put_gateway(tx: TxDep, caller: CallerDep, name: Name, body: GatewayBody) -> GatewayView:
    await accounts.put_gateway(
        tx, caller, name, vendor=body.vendor, endpoint=body.endpoint, settings=body.settings(),
        receipt_secret=body.receipt_secret, active=body.active,
    )  # fmt: skip
    return GatewayView(
        name=name, channel=accounts.CHANNEL_OF[body.vendor], vendor=body.vendor,
        endpoint=body.endpoint or accounts.ENDPOINTS[body.vendor], receipts=body.receipt_secret is not None,
        active=body.active, updated_at=clock.now(),
    )  # fmt: skip


@router.put(
    "/v1/message-gateways/{name}/templates/{template_code}",
    response_model=LetterView,
    summary="How a gateway knows one of our templates, from a day on",
)
@allow("keys.manage")
async def put_template(tx: TxDep, caller: CallerDep, name: Name, template_code: str, body: LetterBody) -> LetterView:
    valid_from = body.valid_from or clock.today()
    await accounts.put_letter(tx, caller, name, template_code, valid_from, body.external_code, body.params)
    return LetterView(
        gateway=name, template_code=template_code, valid_from=valid_from, external_code=body.external_code,
        params=body.params,
    )  # fmt: skip
