"""How many caregivers live around a place, by what is known without asking for the time: who could come at all decides
how far a search begins to look, and who could not is counted for the funnel only. Read from the index of places."""

from __future__ import annotations

from app.core.db import Tx
from app.matching.queries_search import Search

Box = tuple[float, float, float, float]

_INSIDE = "d.day = $1 AND d.place <@ box(point($2, $3), point($4, $5))"
_WISHED = "coalesce((SELECT e.gender_wish FROM elder e WHERE e.id = $7), d.sex)"
ABLE = f"""SELECT count(*) FROM (SELECT FROM caregiver_day d
  WHERE {_INSIDE} AND d.certificates & $6 = $6 AND d.sex = {_WISHED} LIMIT $8) AS able"""
UNABLE = f"""SELECT count(*) FILTER (WHERE NOT has) AS certificate, count(*) FILTER (WHERE has) AS gender_wish
FROM (
  SELECT d.provider_id, d.certificates & $6 = $6 AS has, d.sex = {_WISHED} AS is_wished
  FROM caregiver_day d WHERE {_INSIDE}
  UNION ALL
  SELECT d.provider_id, d.certificates & $6 = $6, d.sex = {_WISHED}
  FROM caregiver_day d WHERE d.day = $1 AND d.place IS NULL
) AS d
WHERE NOT (has AND is_wished) AND d.provider_id IN (
  SELECT a.provider_id FROM provider_area a JOIN provider p ON p.id = a.provider_id
  WHERE a.division_code = ANY($8::text[]) AND p.status <> 'exited' AND ($9::uuid IS NULL OR p.id = $9))"""


async def able(tx: Tx, s: Search, box: Box, most: int) -> int:
    """How many live in the box who have the certificate and are of the sex wished for; at most `most`."""
    return int(await tx.fetchval(ABLE, s.day, *box, s.need, _whose_wish(s), most))


async def unable(tx: Tx, s: Search, box: Box) -> dict[str, int]:
    """How many lack the certificate, and how many others are not of the sex wished for: of those who live in the box
    or nowhere known, with providers that serve the area."""
    rows = await tx.fetch(UNABLE, s.day, *box, s.need, _whose_wish(s), s.lineage, s.provider_id)
    return {rule: n for rule, n in dict(rows[0]).items() if n}


def _whose_wish(s: Search) -> object:
    return s.elder_id if s.gender_matters else None
