"""Everything a line's amount depends on, frozen when the line is made and kept with it as JSON.

The JSON holds integers, words and ids only; reading it back gives an equal value, so that a statement of years
ago is computed again from its own rows, whatever contracts, prices and ratings have become since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

RULE = "1"
"""Version of the calculation. Raise it when `calculation.line` would give other fen for the same inputs."""


@dataclass(frozen=True, slots=True)
class QuotedPart:
    """What one payer was quoted to pay for the whole order, under a scheme's code. `payer` "family" is the copay."""

    payer: str
    scheme: str | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PenaltyItem:
    """A penalty of the contract that applies to this order, in basis points of the agencies' gross."""

    name: str
    bp: int


@dataclass(frozen=True, slots=True)
class LineInputs:
    """One order as settlement saw it.

    `billable_minutes` come from `actual_minutes` by the item's rounding (`app/catalog/pricing.py`); the price is
    `price_fen` per `per_minutes`, or per visit when that is None. `quoted_fen` is the order's price.
    """

    kind: ClassVar[str] = "service"

    rule: str
    order_id: str
    number: str
    item_code: str
    service_day: str
    outcome: str
    verification: str
    actual_minutes: int | None
    planned_minutes: int
    rounding_minutes: int
    min_minutes: int
    billable_minutes: int
    price_version_id: str | None
    price_fen: int
    per_minutes: int | None
    quoted_fen: int
    payers: tuple[QuotedPart, ...]
    contract_id: str
    rating: int | None
    coefficient_bp: int
    late_minutes: int
    penalties: tuple[PenaltyItem, ...]
    partly_visit_bp: int
    holdback_bp: int

    @property
    def position(self) -> tuple[int, str, str]:
        return 0, self.number, self.order_id

    def as_json(self) -> dict[str, Any]:
        return _object(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> LineInputs:
        """Raises TypeError for JSON of another shape."""
        payers = tuple(QuotedPart(**part) for part in value["payers"])
        penalties = tuple(PenaltyItem(**item) for item in value["penalties"])
        return cls(**(value | {"payers": payers, "penalties": penalties}))


@dataclass(frozen=True, slots=True)
class AdjustedPart:
    """What one payer pays more (or less) than before; `payable_fen` includes `holdback_fen`."""

    payer: str
    scheme: str | None
    payable_fen: int
    holdback_fen: int


@dataclass(frozen=True, slots=True)
class AdjustmentInputs:
    """A correction of something settled earlier. `source_kind` and `source_id` say what caused it."""

    kind: ClassVar[str] = "adjustment"

    rule: str
    adjustment_id: str
    order_id: str | None
    source_kind: str
    source_id: str
    reason: str
    parts: tuple[AdjustedPart, ...]

    @property
    def position(self) -> tuple[int, str, str]:
        return 1, self.source_kind, self.adjustment_id

    def as_json(self) -> dict[str, Any]:
        return _object(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AdjustmentInputs:
        """Raises TypeError for JSON of another shape."""
        return cls(**(value | {"parts": tuple(AdjustedPart(**part) for part in value["parts"])}))


def read(kind: str, value: dict[str, Any]) -> LineInputs | AdjustmentInputs:
    """The frozen inputs of a stored line."""
    return LineInputs.from_json(value) if kind == LineInputs.kind else AdjustmentInputs.from_json(value)


def _object(value: Any) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in value.__slots__}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_object(entry) for entry in value]
    return value
