"""The pages of the family, and the forms on them."""

from __future__ import annotations

from app.web.family import booking_pages, calendar_pages, link_pages, own_pages, signing_in
from app.web.pages import Pages

router = Pages()
for pages in (link_pages, signing_in, calendar_pages, booking_pages, own_pages):
    router.include_router(pages.router)
