"""Doors of payments: for families, for the desk, and for whoever looks after the merchants."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response

from app.accounts import links, scope
from app.core.db import Database
from app.core.errors import NotFound
from app.core.http import CallerDep, DatabaseDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.followup.service import FAMILY_LINK
from app.intake import families
from app.orders import service as orders
from app.regions.divisions import scope_ranges
from app.selfpay import family_page, merchants, preparing, queries, schemas, service
from app.selfpay.door import router as door
from app.selfpay.family_page import FamilyOrderView
from app.selfpay.merchants import Terms
from app.selfpay.preparing import Wanted
from app.selfpay.schemas import (
    MerchantBody,
    MerchantView,
    NoticeView,
    OwnPaymentView,
    PaymentBody,
    PaymentView,
    PreparedView,
    ReviewBody,
)

pages = Router(tags=["payments"])

NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"description": "Not there, or not there for you"}}
NOT_NOW: dict[int | str, dict[str, Any]] = {
    **NOT_THERE,
    409: {"description": "There is nothing to pay, or it is paid, or WeChat Pay refuses"},
}
Token = Annotated[str, Path(min_length=16, max_length=200, description="From the link that was sent to the family")]
MerchantName = Annotated[str, Path(pattern=r"^[0-9a-z_-]{1,40}$")]


@pages.post(
    "/v1/family/orders/{token}/payments",
    response_model=PreparedView,
    responses=NOT_NOW,
    summary="Pay our part of this order online; asking again gives the same payment",
)
@allow("family.pay", keyed=False, own_transaction=True)
async def prepare_by_link(request: Request, database: DatabaseDep, token: Token, body: PaymentBody) -> PreparedView:
    async with database.transaction() as tx:
        order_id = await links.resolve(tx, token, FAMILY_LINK)
        await service.check_costs_shown(tx, order_id)
    return await _prepared(request, database, order_id, body)


@pages.post(
    "/v1/family/elders/{elder_id}/orders/{order_id}/payments",
    response_model=PreparedView,
    responses=NOT_NOW,
    summary="Pay our part of my elder's order online; asking again gives the same payment",
)
@allow("payments.make", keyed=False, own_transaction=True)
async def prepare_signed_in(
    request: Request, database: DatabaseDep, caller: CallerDep, elder_id: UUID, order_id: UUID, body: PaymentBody
) -> PreparedView:
    async with database.transaction() as tx:
        bound = await families.bound_elder(tx, caller, elder_id)
        if (await orders.get(tx, order_id)).elder_id != bound.id:
            raise NotFound("order_not_found")
    return await _prepared(request, database, order_id, body)


@pages.get(
    "/v1/family/orders/{token}",
    response_model=FamilyOrderView,
    tags=["followup"],
    summary="One order in plain words, with what is left to pay; that it was looked at is written down",
)
@allow("family.order")
async def read_family_order(tx: TxDep, token: Token, request: Request, response: Response) -> Any:
    response.headers["Cache-Control"] = "private, no-store"
    order_id = await links.opened(tx, token, FAMILY_LINK, request.headers.get("user-agent", ""))
    return await family_page.page(tx, order_id)


@pages.get(
    "/v1/family/orders/{token}/payments",
    response_model=list[OwnPaymentView],
    responses=NOT_THERE,
    summary="What was paid online for this order",
)
@allow("family.order")
async def list_by_link(tx: TxDep, token: Token) -> Any:
    order_id = await links.resolve(tx, token, FAMILY_LINK)
    await service.check_costs_shown(tx, order_id)
    return [schemas.own(row) for row in await queries.of_order(tx, order_id)]


@pages.get(
    "/v1/orders/{order_id}/payments",
    response_model=list[PaymentView],
    responses=NOT_THERE,
    summary="Payments made online for an order, oldest first",
)
@allow("payments.read")
async def list_of_order(tx: TxDep, caller: CallerDep, order_id: UUID) -> Any:
    scope.see(caller, (await orders.get(tx, order_id)).division_code)
    return [schemas.payment(row) for row in await queries.of_order(tx, order_id)]


@pages.get("/v1/payments/to-review", response_model=Page[PaymentView], summary="Payments that a person has to look at")
@allow("payments.read")
async def list_to_review(tx: TxDep, caller: CallerDep, limit: Limit = 50, cursor: CursorParam = None) -> Any:
    rows = await queries.to_review(tx, scope_ranges(caller.divisions), after_id(cursor), limit + 1)
    return page_of([schemas.payment(row) for row in rows], [row["id"] for row in rows], limit)


@pages.post(
    "/v1/payments/{payment_id}/reviews",
    response_model=PaymentView,
    status_code=201,
    responses=NOT_NOW,
    summary="Say that the money is rightly here, or was given back",
)
@allow("payments.review")
async def review_payment(tx: TxDep, caller: CallerDep, payment_id: UUID, body: ReviewBody) -> Any:
    return schemas.payment(await service.review(tx, caller, payment_id, body.outcome, body.reason))


@pages.get(
    "/v1/payment-notices/problems",
    response_model=list[NoticeView],
    summary="Notices of WeChat Pay that changed nothing although they should have, newest first",
)
@allow("payments.read")
async def list_problems(tx: TxDep, caller: CallerDep, limit: Limit = 50) -> Any:
    rows = await queries.unmatched(tx, limit)
    return [NoticeView.model_validate(dict(row)) for row in rows if scope.sees(caller, row["division_code"])]


@pages.put(
    "/v1/wechatpay-merchants/{merchant}", response_model=MerchantView, summary="Add a merchant or change its keys"
)
@allow("keys.manage")
async def put_merchant(tx: TxDep, caller: CallerDep, merchant: MerchantName, body: MerchantBody) -> MerchantView:
    terms = Terms(division_code=body.division, **body.model_dump(exclude={"division"}))
    await merchants.put(tx, caller, merchant, terms)
    shown = body.model_dump(include={"division", "mchid", "appid", "private_serial", "active"})
    return MerchantView(merchant=merchant, platform_serials=sorted(body.platform_keys), **shown)


async def _prepared(request: Request, database: Database, order_id: UUID, body: PaymentBody) -> PreparedView:
    notify_url = f"{request.app.state.settings.public_url}/channels/wechatpay/{{merchant}}"
    wanted = Wanted(body.way, body.openid)
    prepared = await preparing.prepare(database, request.app.state.wechatpay, order_id, wanted, notify_url)
    page = preparing.page_parameters(prepared)
    return PreparedView(
        id=prepared.row["id"],
        amount_fen=prepared.row["amount_fen"],
        expires_at=prepared.row["expires_at"],
        code_url=prepared.prepay if page is None else None,
        page=page,
    )


router = Router()
router.include_router(pages)
router.include_router(door)
