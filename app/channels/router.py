"""All doors of this room."""

from __future__ import annotations

from app.channels import devices, family_links, phone, stream
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
    stream.router,
    family_links.router,
):
    router.include_router(door)
