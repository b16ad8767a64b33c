"""The rows of a past month by INSERT … SELECT, with the columns and the sizes a finished order really leaves.

The temporary table `past` has one row per order of the month; every other statement reads it. Ids are made from
the moment they stand for and the order's running number, so that rows of different tables find each other.
"""

from __future__ import annotations

from app.core.json import dumps
from app.matching.kept import FORM
from app.matching.rules import OBJECTIVES
from benchmarks.town import ITEM

TABLES = (
    "booking", "order_history", "order_deadline", "ledger_transfer", "visit_event", "care_order", "care_request",
    "decision", "statement_line", "visit", "rating", "followup", "offer", "audit_entry", "feed_entry",
    "idempotency_key", "signed_link",
)  # fmt: skip
"""What a load fills, the longest to build first; that is the one whose exclusion is looked up row by row."""


def _id(at: str, salt: str, of: str = "n") -> str:
    """A UUIDv7 of the moment `at`; its random part is a digest of the order's number, or of what it is `of`."""
    stamp = f"lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0')"
    chance = f"overlay(md5({of} || '{salt}') PLACING {stamp} FROM 1)"
    return f"overlay(overlay({chance} PLACING '7' FROM 13) PLACING 'a' FROM 17)::uuid"


CREW = f"""CREATE TEMP TABLE crew AS
SELECT row_number() OVER (ORDER BY c.id) - 1 AS no, c.id AS caregiver_id, c.name AS caregiver, p.id AS provider_id,
  p.name AS provider, k.id AS contract_id, k.division_code AS contract_division
FROM caregiver c JOIN provider p ON p.id = c.provider_id
JOIN LATERAL (SELECT id, division_code FROM contract k WHERE k.provider_id = p.id AND k.valid_to IS NULL
  ORDER BY k.id LIMIT 1) k ON true
WHERE c.status = 'active' AND p.status = 'active'
  AND EXISTS (SELECT FROM provider_item i WHERE i.provider_id = p.id AND i.item_code = '{ITEM}')"""

HOMES = """CREATE TEMP TABLE home AS
SELECT row_number() OVER (ORDER BY id) - 1 AS no, id AS elder_id, division_code, lng, lat FROM elder
WHERE status = 'active' AND lng IS NOT NULL"""

# Twenty-four of those who were free, as a decision keeps them, in four versions for each caregiver that was chosen.
RANKINGS = f"""CREATE TEMP TABLE ranking AS
SELECT chosen.no, version, jsonb_build_object('form', {FORM}, 'seed', md5(chosen.no || 'seed')::uuid,
  'radius_km', 5.0, 'max_travel_minutes', 60, 'objectives', '{dumps(list(OBJECTIVES))}'::jsonb,
  'rows', jsonb_agg(jsonb_build_array(c.caregiver_id, c.provider_id, 3 + place / 3, version, 120 - 5 * place,
    300 + 15 * place, 4.62, -1.25, 0, 1.0) ORDER BY place)) AS ranked
FROM crew chosen CROSS JOIN generate_series(0, 3) AS version CROSS JOIN generate_series(0, 23) AS place
JOIN crew c ON c.no = (chosen.no + place * (1 + 2 * version)) % (SELECT count(*) FROM crew)
GROUP BY chosen.no, version"""

PAST = """CREATE TEMP TABLE past (n bigint, draw bigint, turn bigint, caregiver_id uuid, crew_no bigint,
  provider_id uuid, provider text, contract_id uuid, contract_division text, elder_id uuid, division_code text,
  lng float8, lat float8, begins_at timestamptz, placed_at timestamptz, completed_at timestamptz,
  closed_at timestamptz, offered_at timestamptz, accepted_at timestamptz, request_id uuid, order_id uuid,
  offer_id uuid, decision_id uuid, number text, service_day date, period text, score smallint, desk text, clerk text,
  item_code text, price_version_id uuid, price_fen bigint, company text,
  statement_id uuid)"""
# $1 first number, $2 last number, $3 when number 0 was finished, $4 the seconds from one order to the next, $5 and $6
# who placed and who settled, $7 the first order number, $8 item's price version, $9 its price, $10 the month, $11
# its end.
MONTH = f"""INSERT INTO past WITH slot AS (
  SELECT n, c.*, date_trunc('minute', $3::timestamptz + n * make_interval(secs => $4::float8)) AS completed_at,
    (n * 2654435761) % 4294967296 AS draw, n / crew_size AS turn
  FROM generate_series($1::bigint, $2::bigint) AS n CROSS JOIN (SELECT count(*) AS crew_size FROM crew) AS size
  JOIN crew c ON c.no = n % crew_size
), timed AS (
  SELECT *, completed_at - interval '15 minutes' AS begins_at,
    completed_at - interval '1 day' - (draw % 40) * interval '7 minutes' AS placed_at,
    completed_at + interval '20 minutes' + (draw % 9) * interval '10 minutes' AS closed_at
  FROM slot
)
SELECT n, draw, turn, caregiver_id, t.no AS crew_no, provider_id, provider, contract_id, contract_division,
  h.elder_id, h.division_code, h.lng, h.lat, begins_at, placed_at, completed_at, closed_at,
  placed_at + interval '90 milliseconds' AS offered_at,
  placed_at + interval '4 minutes' + (draw % 7) * interval '1 minute' AS accepted_at,
  {_id("placed_at - interval '2 milliseconds'", "request")} AS request_id, {_id("placed_at", "order")} AS order_id,
  {_id("placed_at", "offer")} AS offer_id, {_id("placed_at", "decision")} AS decision_id,
  to_char(placed_at AT TIME ZONE 'Asia/Shanghai', 'YYMMDD') || lpad(($7 + n)::text, 7, '0') AS number,
  (completed_at AT TIME ZONE 'Asia/Shanghai')::date AS service_day, $10::text,
  CASE WHEN draw % 3 = 0 THEN 4 ELSE 5 END::smallint AS score,
  $5::text, $6::text, '{ITEM}', $8::uuid, $9::bigint, 'provider:' || provider_id,
  {_id("$11::timestamptz", "statement", "provider_id")}
FROM timed t JOIN home h ON h.no = (
  CASE WHEN draw % 5 < 4 THEN t.no * 5 + draw / 5 % 5 ELSE draw / 5 END) % (SELECT count(*) FROM home)"""

ORDERS = """INSERT INTO care_order (id, number, status, outcome, item_code, elder_id, division_code, urgency, channel,
  care_request_id, requester_relation, wanted_from, wanted_to, minutes, price_fen, price_version_id, payers,
  copay_fen, provider_id, caregiver_id, offer_id, assigned_at, flags, delivery, lng, lat, placed_by, placed_at,
  completed_at, updated_at, visit, rating, version)
SELECT order_id, number, 'closed', 'done', item_code, elder_id, division_code, 'appointment', 'hotline', request_id,
  'self', begins_at, begins_at + interval '3 hours', 15, price_fen, price_version_id,
  jsonb_build_array(jsonb_build_object('payer', 'family', 'reason', 'no entitlement', 'scheme', NULL,
    'amount_fen', price_fen)),
  price_fen, provider_id, caregiver_id, offer_id, accepted_at + interval '2 milliseconds', '{}', 'fetched', lng, lat,
  desk, placed_at, completed_at, closed_at,
  jsonb_build_object('place', 'inside', 'manual', false, 'method', 'gps', 'status', 'ended', 'hazards', '[]'::jsonb,
    'minutes', 15, 'reasons', '[]'::jsonb, 'failed_at', NULL, 'arrived_at', NULL, 'departed_at', NULL,
    'verification', 'verified', 'checked_in_at', begins_at, 'checked_out_at', completed_at, 'failure_reason', NULL),
  score, 7
FROM past ORDER BY n"""

HISTORY = """INSERT INTO order_history (order_id, seq, before, after, actor, facts, at)
SELECT order_id, seq, before, after, actor, facts, at FROM past CROSS JOIN LATERAL (VALUES
  (1, NULL, 'placed', desk, NULL::jsonb, placed_at),
  (2, 'placed', 'dispatched', 'system:nuanxian',
    jsonb_build_object('offer', offer_id, 'score', 70.457, 'decision', decision_id), offered_at),
  (3, 'dispatched', 'accepted', company, NULL, accepted_at),
  (4, 'accepted', 'assigned', company, jsonb_build_object('before', NULL, 'caregiver', caregiver_id),
    accepted_at + interval '2 milliseconds'),
  (5, 'assigned', 'in_service', company, NULL, begins_at),
  (6, 'in_service', 'completed', company, NULL, completed_at),
  (7, 'completed', 'closed', 'family:link-' || order_id, NULL, closed_at)
) AS move (seq, before, after, actor, facts, at) ORDER BY n, seq"""

DEADLINES = """INSERT INTO order_deadline (order_id, name, due_at, met_at)
SELECT order_id, name, due_at, met_at FROM past CROSS JOIN LATERAL (VALUES
  ('dispatch', greatest(begins_at - interval '24 hours', placed_at + interval '1 minute'), offered_at),
  ('arrive', begins_at + interval '15 minutes', begins_at),
  ('accept', offered_at + interval '1 hour', accepted_at),
  ('designate', accepted_at + interval '2 hours', accepted_at + interval '2 milliseconds'),
  ('follow_up', completed_at + interval '3 days', closed_at)
) AS clock (name, due_at, met_at) ORDER BY n"""

REQUESTS = """INSERT INTO care_request (id, channel, kind, status, urgency, elder_id, division_code, relation,
  item_code, wanted_from, wanted_to, order_id, taken_by, closed_by, created_at, updated_at, version)
SELECT request_id, 'hotline', 'service', 'confirmed', 'appointment', elder_id, division_code, 'self', item_code,
  begins_at, begins_at + interval '3 hours', order_id, desk, desk, placed_at, placed_at, 1 FROM past ORDER BY n"""

# $1 the steps of a funnel that begins with everybody
DECISIONS = """INSERT INTO decision (id, order_id, mode, made_by, weights_version, starts_at, excluded, funnel, ranked,
  chosen_caregiver_id, chosen_provider_id, made_at)
SELECT decision_id, order_id, 'ranked', 'system:nuanxian', 1, begins_at, '{}', $1::jsonb, r.ranked, caregiver_id,
  provider_id, offered_at
FROM past JOIN ranking r ON r.no = crew_no AND r.version = turn % 4 ORDER BY n"""

OFFERS = """INSERT INTO offer (id, order_id, provider_id, caregiver_id, decision_id, mode, attempt, status,
  service_day, starts_at, made_at, deadline_at, closed_at, delivery, fetched_at)
SELECT offer_id, order_id, provider_id, caregiver_id, decision_id, 'ranked', 1, 'accepted',
  (begins_at AT TIME ZONE 'Asia/Shanghai')::date, begins_at, offered_at, offered_at + interval '1 hour', accepted_at,
  'fetched', accepted_at
FROM past ORDER BY n"""

BOOKINGS = f"""INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at, minutes, made_at)
SELECT {_id("placed_at", "booking")}, caregiver_id, order_id, 'lead', 'booked',
  tstzrange(begins_at - interval '3 minutes', completed_at + interval '5 minutes'), begins_at, 15, offered_at
FROM past ORDER BY n"""
BOOKED_MINUTES = 23
"""From the way there to the way on."""

VISIT_EVENTS = """INSERT INTO visit_event (provider_id, event_id, order_id, caregiver_id, type, method, occurred_at,
  received_at, lng, lat, source_crs, accuracy_m, evidence, back_filled, body_hash, result, recorded_by)
SELECT provider_id, md5(n || type)::uuid::text, order_id, caregiver_id, type, 'gps', at,
  at + interval '2 seconds', lng, lat, 'wgs84', 10, '{}', false, sha256(convert_to(n || type, 'UTF8')), 'applied',
  company
FROM past CROSS JOIN LATERAL (VALUES ('checked_in', begins_at), ('checked_out', completed_at)) AS said (type, at)
ORDER BY n, at"""

VISITS = """INSERT INTO visit (order_id, item_code, elder_id, provider_id, caregiver_id, division_code, service_day,
  status, began_at, begin_method, begin_lng, begin_lat, begin_accuracy_m, begin_distance_m, begin_place, ended_at,
  end_method, end_lng, end_lat, end_accuracy_m, end_distance_m, end_place, minutes, manual, hazards, evidence,
  verification, reasons, version, updated_at)
SELECT order_id, item_code, elder_id, provider_id, caregiver_id, division_code, service_day, 'ended', begins_at,
  'gps', lng, lat, 10, 0, 'inside', completed_at, 'gps', lng, lat, 10, 0, 'inside', 15, false, '{}', '{}',
  'verified', '{}', 2, completed_at + interval '2 seconds' FROM past ORDER BY n"""

FOLLOWUPS = f"""INSERT INTO followup (id, order_id, elder_id, provider_id, division_code, urgency, selection,
  selected_because, status, outcome, due_at, passes_at, attempts, max_attempts, created_at, closed_at, version)
SELECT {_id("completed_at", "followup")}, order_id, elder_id, provider_id, division_code, 'appointment',
  CASE WHEN turn = 0 THEN 'always' WHEN draw % 10 = 0 THEN 'sampled' ELSE 'not_sampled' END,
  CASE WHEN turn = 0 THEN 'first_visit' ELSE 'sample' END, 'closed', 'rated', completed_at + interval '3 days',
  CASE WHEN turn > 0 AND draw % 10 <> 0 THEN completed_at + interval '3 days' END, 0, 3, completed_at, closed_at, 2
FROM past ORDER BY n"""

RATINGS = f"""INSERT INTO rating (id, order_id, provider_id, caregiver_id, source, score, tags, counts,
  first_of_source, actor, at)
SELECT {_id("closed_at", "rating")}, order_id, provider_id, caregiver_id, 'family', score, '{{}}', true, true,
  'family:link-' || order_id, closed_at FROM past ORDER BY n"""

AUDIT = f"""INSERT INTO audit_entry (id, at, actor, action, object_type, object_id, fields, request_id)
SELECT {_id("completed_at", "audit")}, completed_at + interval '1 minute', desk, 'family_link.issue', 'care_order',
  order_id::text, '{{}}', md5(n || 'link') FROM past ORDER BY n"""

LINES = f"""INSERT INTO statement_line (id, statement_id, position, kind, order_id, void, service_period, inputs,
  gross_fen, coefficient_bp, quality_fen, penalty_fen, payable_fen, copay_fen, holdback_fen, due_fen, parts)
SELECT {_id("closed_at", "line")}, statement_id,
  row_number() OVER (PARTITION BY provider_id ORDER BY number), 'service', order_id, false, period,
  jsonb_build_object('rule', '1', 'number', number, 'payers', jsonb_build_array(jsonb_build_object('payer', 'family',
      'scheme', NULL, 'amount_fen', price_fen)), 'rating', score, 'outcome', 'done', 'order_id', order_id,
    'item_code', item_code, 'penalties', '[]'::jsonb, 'price_fen', price_fen, 'quoted_fen', price_fen,
    'contract_id', contract_id, 'holdback_bp', 0, 'min_minutes', 0, 'per_minutes', NULL, 'service_day', service_day,
    'late_minutes', 0, 'verification', 'verified', 'actual_minutes', 15, 'coefficient_bp', 10000,
    'partly_visit_bp', 5000, 'planned_minutes', 15, 'billable_minutes', 15, 'price_version_id', price_version_id,
    'rounding_minutes', 1),
  price_fen, 10000, 0, 0, price_fen, price_fen, 0, 0,
  jsonb_build_array(jsonb_build_object('payer', 'family', 'scheme', NULL, 'gross_fen', price_fen, 'payable_fen',
    price_fen, 'holdback_fen', 0))
FROM past"""

# $1 the end of the month, $2 the present
STATEMENTS = """INSERT INTO statement (id, number, provider_id, period, division_code, status, version, lines,
  gross_fen, quality_fen, penalty_fen, adjustment_fen, payable_fen, copay_fen, holdback_fen, due_fen, content_hash,
  created_by, created_at, refreshed_by, fence_at, issued_by, issued_at, confirm_by, confirmed_by, confirmed_at,
  reviewed_by, reviewed_at, approved_by, approved_at, paid_by, paid_at, paid_fen, payment_reference)
SELECT statement_id, 'JS' || replace(period, '-', '') || '-'
    || lpad(row_number() OVER (ORDER BY provider_id)::text, 4, '0'),
  provider_id, period, min(contract_division), 'paid', 6, count(*), sum(price_fen), 0, 0, 0, sum(price_fen),
  sum(price_fen), 0, 0, sha256(convert_to(provider_id || period, 'UTF8')), clerk, issued, clerk, issued, clerk, issued,
  issued + interval '7 days', 'provider:' || provider_id, issued, clerk, issued, desk, issued, clerk, issued, 0,
  md5(provider_id || period || 'paid')
FROM past, (SELECT least($1::timestamptz + interval '3 days', $2::timestamptz) AS issued) AS day
GROUP BY statement_id, provider_id, period, clerk, desk, issued"""
RUNS = f"""INSERT INTO settlement_run (id, period, state, started_by, started_at, fence_at, content_hash)
SELECT {_id("$1::timestamptz", "run", "period")}, period, 'done', clerk, $1::timestamptz, $1,
  sha256(convert_to(period, 'UTF8'))
FROM past LIMIT 1"""

ACCOUNTS = """INSERT INTO ledger_account (code, name, kind)
SELECT 'bank', '银行存款', 'bank' UNION ALL SELECT 'payer:family', '家庭自付', 'payer'
UNION ALL SELECT DISTINCT 'provider:' || provider_id, '应付 ' || provider, 'provider' FROM crew
UNION ALL SELECT DISTINCT 'holdback:' || provider_id, '质保金 ' || provider, 'holdback' FROM crew
ON CONFLICT DO NOTHING"""
# The copay passes between the family and the provider: once this way, once that way.
TRANSFERS = f"""INSERT INTO ledger_transfer (id, debit_account, credit_account, amount_fen, statement_id, line_id,
  reason, at)
SELECT CASE way WHEN 0 THEN {_id("closed_at", "there")} ELSE {_id("closed_at", "back")} END,
  CASE way WHEN 0 THEN 'payer:family' ELSE company END, CASE way WHEN 0 THEN company ELSE 'payer:family' END,
  price_fen, statement_id, {_id("closed_at", "line")}, 'copay',
  least($1::timestamptz + interval '3 days', $2::timestamptz)
FROM past CROSS JOIN generate_series(0, 1) AS way ORDER BY n, way"""

# $1 and $2 numbers; a transaction of its own for each few orders, as their writers had.
FEED = """INSERT INTO feed_entry (audience, type, order_id, offer_id, seq, occurred_at)
SELECT company, type, order_id, CASE WHEN seq <> 4 THEN offer_id END, seq, at
FROM past CROSS JOIN LATERAL (VALUES
  ('offer.made', 2, offered_at), ('order.accepted', 3, accepted_at),
  ('order.assigned', 4, accepted_at + interval '2 milliseconds'), ('order.in_service', 5, begins_at),
  ('order.completed', 6, completed_at), ('order.closed', 7, closed_at)) AS told (type, seq, at)
WHERE n BETWEEN $1 AND $2 ORDER BY at"""

# $1 since when keys are kept, $2 sixteen sealed answers of the largest size
KEYS = """INSERT INTO idempotency_key (digest, request_hash, status, answer, headers, created_at)
SELECT sha256(convert_to(n || path, 'UTF8')), sha256(convert_to(n || path || 'body', 'UTF8')), code,
  substr(($2::bytea[])[1 + (n % 16)::int], 1, size), 'content-type: application/json' || more, at
FROM past CROSS JOIN LATERAL (VALUES
  ('place', 201, 1257, E'\\netag: "1"\\nlocation: /v1/orders/' || order_id, placed_at),
  ('accept', 200, 1507, '', accepted_at), ('link', 201, 205, '', completed_at), ('rate', 201, 126, '', closed_at)
) AS call (path, code, size, more, at) WHERE at >= $1 ORDER BY at"""
# $1 the present
LINKS = """INSERT INTO signed_link (token_hash, purpose, subject_id, created_at, expires_at, uses)
SELECT sha256(convert_to(n || 'token', 'UTF8')), 'family_order', order_id, completed_at + interval '1 minute',
  completed_at + interval '30 days', 1
FROM past WHERE completed_at + interval '30 days' > $1 ORDER BY n"""

# $1 and $2: what was finished between them is what was loaded
SCORES = """INSERT INTO scorecard (caregiver_id, provider_id, ratings, score_sum, completed, last_completed_at)
SELECT caregiver_id, provider_id, count(rating), sum(rating), count(*), max(completed_at) FROM care_order
WHERE completed_at >= $1 AND completed_at < $2 GROUP BY caregiver_id, provider_id
ON CONFLICT (caregiver_id) DO UPDATE SET ratings = scorecard.ratings + excluded.ratings,
  score_sum = scorecard.score_sum + excluded.score_sum, completed = scorecard.completed + excluded.completed"""
KNOWN = """INSERT INTO continuity (elder_id, caregiver_id, visits, last_at)
SELECT elder_id, caregiver_id, count(*), max(completed_at) FROM care_order
WHERE completed_at >= $1 AND completed_at < $2 GROUP BY elder_id, caregiver_id
ON CONFLICT (elder_id, caregiver_id) DO UPDATE SET visits = continuity.visits + excluded.visits"""
