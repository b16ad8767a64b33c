"""All doors of this room."""

from __future__ import annotations

from app.channels import devices, family_links, incidents, message_log, own_ways, phone, stream
from app.channels.gateways import router as gateways
from app.channels.vendors import router as vendors
from app.channels.wechat import administration, signing_in
from app.channels.wechat import router as wechat
from app.core.http import Router

router = Router()
for door in (
    wechat.router,
    administration.router,
    signing_in.router,
    phone.router,
    devices.router,
    vendors.router,
    incidents.router,
    stream.router,
    family_links.router,
    gateways.router,
    message_log.router,
    own_ways.router,
):
    router.include_router(door)
