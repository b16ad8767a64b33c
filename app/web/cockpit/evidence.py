"""One order down to its visit's evidence. Opening a photo, signature or recording leaves a row in the audit trail."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from app.accounts import audit, policy
from app.core.http import CallerDep, TxDep, allow
from app.insight import evidence
from app.visits import uploads
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()


@router.get("/cockpit/orders/{order_id}")
@allow("visits.read")
async def order_page(request: Request, tx: TxDep, caller: CallerDep, order_id: UUID) -> Response:
    money = policy.may(caller, "settlement.read")
    found = await evidence.of_order(tx, caller, order_id, money=money)
    return page(request, "cockpit/order.html", found=found, money=money)


@router.get("/cockpit/orders/{order_id}/files/{upload_id}")
@allow("visits.read")
async def open_file(request: Request, tx: TxDep, caller: CallerDep, order_id: UUID, upload_id: UUID) -> Response:
    """Shown alone, never inside a page: nothing in it can run (its type was proved when it came in)."""
    await evidence.of_order(tx, caller, order_id, money=False)  # raises NotFound for somebody else's
    content, media_type = await uploads.of_visit(tx, order_id, upload_id, request.app.state.settings.data_dir)
    await audit.record(tx, caller, "visits.open_evidence", "upload", upload_id, ("file",))
    headers = {
        "Content-Disposition": "inline",
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)
