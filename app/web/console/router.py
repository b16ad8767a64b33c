"""The pages of the console, and the forms on them."""

from __future__ import annotations

from app.web.console import (
    router_board,
    router_card,
    router_desk,
    router_dials,
    router_identification,
    router_incidents,
    router_order,
    router_queues,
    router_queues_outside,
    router_slip,
    router_telephone,
)
from app.web.pages import Pages

router = Pages()
router.include_router(router_telephone.router)
router.include_router(router_desk.router)
router.include_router(router_dials.router)
router.include_router(router_board.router)
router.include_router(router_incidents.router)
router.include_router(router_identification.router)
router.include_router(router_order.router)
router.include_router(router_slip.router)
router.include_router(router_card.router)
router.include_router(router_queues_outside.router)
router.include_router(router_queues.router)
