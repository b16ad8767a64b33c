"""Every reason a room writes into an order's history has a word at the desk."""

from __future__ import annotations

import pytest

from app.dispatch.offers import TAKEN_BY_OTHER
from app.orders.lifecycle import NOT_DONE_BECAUSE
from app.seeds.story import REFUSALS
from app.visits.caregivers import FAILURES
from app.web.words import words_of

MOVES = [
    "attempts_used_up",
    "batch",
    "designation_overdue",
    "fixed_provider_declined",
    "fixed_provider_has_nobody",
    "no_answer",
    "no_contract",
    "nobody_to_compete",
    "offer_expired",
    "offers_withdrawn",
    "order_cancelled",
    "provider_suspended",
    "rounds",
]
"""Said by `dispatch` itself."""
KNOWN = {
    *NOT_DONE_BECAUSE, *FAILURES, *REFUSALS, *(f"refused:{one}" for one in REFUSALS), *MOVES, TAKEN_BY_OTHER,
    *words_of("console").cancel_code.plain(), *words_of("cockpit").move_reason.plain(),
    *words_of("caregiver").hazard.kinds.plain(), "photo", "signature", "signature_skipped",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_no_code_is_shown_as_it_is(code: str) -> None:
    assert words_of("console").reason.get(code) != code
