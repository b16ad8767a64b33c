from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from app.core.db import Tx
from app.settlement import export, queries, runs
from tests.world.settlement import clerk, make_market, make_served_order

HOSTILE = (
    '=HYPERLINK("http://evil.example","点击")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "https://evil.example",
    "{=1+1}",
    "<b>&\x01\ud83d".encode("utf-8", "ignore").decode(),
)


async def made(tx: Tx, name: str = "安康家政") -> tuple[Any, list[Any]]:
    market = await make_market(tx)
    await tx.run("UPDATE provider SET name = $1 WHERE id = $2", name, market.provider_id)
    await make_served_order(tx, market, rating=3, late_minutes=40)
    await make_served_order(tx, market, number="=1+1", minutes=75)
    await tx.run(
        """INSERT INTO adjustment (id, provider_id, target_period, source_kind, source_id, amount_fen, parts, reason,
          created_by, created_at) VALUES (gen_random_uuid(), $1, '2025-09', 'manual', 'x', -300,
          '[{"payer": "government", "scheme": null, "payable_fen": -300, "holdback_fen": 0}]', $2, 'a', $3)""",
        market.provider_id, name, datetime(2025, 9, 1, tzinfo=UTC),
    )  # fmt: skip
    await runs.settle(tx, clerk(), "2025-09")
    (head,) = await queries.statements_of_period(tx, "2025-09", None)
    return head, await queries.lines(tx, head["id"])


async def test_read_back_it_says_what_the_statement_says(tx: Tx) -> None:
    head, lines = await made(tx)
    book = openpyxl.load_workbook(BytesIO(export.workbook(head, lines)))
    assert book.sheetnames == ["结算单", "明细"]
    summary = {row[0].value: row[1].value for row in book["结算单"].iter_rows()}
    assert summary["结算单号"] == "JS202509-0001"
    assert summary["内容摘要 SHA-256"] == bytes(head["content_hash"]).hex()
    assert round(summary["应拨金额（元）"] * 100) == head["due_fen"]
    rows = list(book["明细"].iter_rows(values_only=True))
    assert rows[0] == export.HEADINGS
    assert [row[1] for row in rows[1:]] == ["服务", "服务", "调整"]
    due = export.HEADINGS.index("应拨金额（元）")
    assert [round(row[due] * 100) for row in rows[1:]] == [line["due_fen"] for line in lines]
    assert "迟到" in {row[export.HEADINGS.index("扣减原因")] for row in rows[1:]}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_name_becomes_a_formula_or_a_link(tx: Tx, name: str) -> None:
    content = export.workbook(*await made(tx, name))
    book = openpyxl.load_workbook(BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
    with ZipFile(BytesIO(content)) as parts:
        sheets = [parts.read(part) for part in parts.namelist() if part.startswith("xl/worksheets/sheet")]
    assert sheets
    assert not any(b"<f>" in sheet or b"hyperlink" in sheet for sheet in sheets)
    assert "=1+1" in {cell.value for cell in cells}


async def test_the_same_statement_gives_the_same_bytes(tx: Tx) -> None:
    head, lines = await made(tx)
    assert export.workbook(head, lines) == export.workbook(head, lines)
