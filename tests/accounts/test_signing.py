"""The signature of outside systems is documented to the byte; these tests hold the document."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from app.accounts import signing

SECRET = "s3cret-for-tests"
PAIRS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5)


def test_the_documented_vector() -> None:
    documented = re.search(r"`([0-9a-f]{64})`", signing.__doc__ or "")
    assert documented is not None
    headers = signing.sign(
        SECRET,
        "POST",
        "/v1/provider/events",
        "b=2&a=%E9%87%91+%E6%98%8C&a=1",
        b'{"events":[]}',
        1767225600,
        "nonce-0001",
    )
    assert headers["X-Signature"] == documented.group(1)
    by_hand = "POST\n/v1/provider/events\na=%E9%87%91%20%E6%98%8C&a=1&b=2\n1767225600\nnonce-0001\n"
    by_hand += hashlib.sha256(b'{"events":[]}').hexdigest()
    assert headers["X-Signature"] == hmac.new(SECRET.encode(), by_hand.encode(), hashlib.sha256).hexdigest()


@given(PAIRS, st.randoms())
def test_the_order_and_spelling_of_the_query_do_not_matter(pairs: list[tuple[str, str]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    spelled_out = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in shuffled)
    assert signing.canonical_query(urlencode(pairs)) == signing.canonical_query(spelled_out)


@given(PAIRS)
def test_the_canonical_query_is_its_own_canonical_form(pairs: list[tuple[str, str]]) -> None:
    once = signing.canonical_query(urlencode(pairs))
    assert signing.canonical_query(once) == once


@given(PAIRS, PAIRS)
def test_different_queries_are_signed_differently(one: list[tuple[str, str]], two: list[tuple[str, str]]) -> None:
    same = signing.canonical_query(urlencode(one)) == signing.canonical_query(urlencode(two))
    assert same == (sorted(one) == sorted(two))


@given(st.integers(0, 5), st.text(min_size=1, max_size=4))
def test_every_signed_part_matters(which: int, extra: str) -> None:
    parts: list[str] = ["POST", "/v1/a", "q=1", "body", "1767225600", "nonce-0001"]

    def text(values: list[str]) -> bytes:
        method, path, query, body, timestamp, nonce = values
        return signing.signed_text(method, path, query, body.encode(), timestamp, nonce)

    given_signature = signing.signature(SECRET, text(parts))
    changed = list(parts)
    changed[which] += extra
    if text(changed) != text(parts):
        assert not signing.is_signed_by([SECRET], text(changed), given_signature)
    else:
        assert which == 2, "only the query has more than one spelling"
    assert signing.is_signed_by(["another", SECRET], text(parts), given_signature)
    assert not signing.is_signed_by(["another"], text(parts), given_signature)
    assert not signing.is_signed_by([], text(parts), given_signature)


@given(st.text(max_size=70))
def test_a_malformed_signature_is_refused_quietly(given_signature: str) -> None:
    assert not signing.is_signed_by([SECRET], b"text", given_signature)


def test_the_window_is_300_seconds_on_either_side() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    stamp = int(now.timestamp())
    assert signing.is_timely(str(stamp + 300), now)
    assert signing.is_timely(str(stamp - 300), now)
    assert not signing.is_timely(str(stamp + 301), now)
    assert not signing.is_timely(str(stamp - 301), now)
    assert not signing.is_timely(str(stamp), now + timedelta(days=1))
    for malformed in ("", "-1", "1e9", " 1767225600", "１７６７２２５６００", "9" * 400):
        assert not signing.is_timely(malformed, now)
