"""The statement as a spreadsheet: the same bytes for the same statement, and never a formula.

What people typed is written as text whatever it begins with; a name like `=HYPERLINK(...)` stays a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from app.core import clock
from app.core.money import yuan

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CREATED = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)

STATUS = {
    "draft": "草稿", "issued": "已出具", "confirmed": "企业已确认", "disputed": "企业有异议", "reviewed": "已复核",
    "approved": "已批准", "paid": "已支付", "void": "已作废",
}  # fmt: skip
KIND = {"service": "服务", "adjustment": "调整"}
OUTCOME = {"done": "完成", "partly": "部分完成"}
PENALTY = {"late_arrival": "迟到", "complaint_upheld": "投诉属实"}
PAYER = {"government": "政府购买", "family": "家庭自付", "carried": "结转", "holdback": "质保金"}
HEADINGS = (
    "序号", "类别", "工单号", "服务日期", "服务月份", "服务项目", "结果", "计费分钟", "评价", "质量系数", "扣减原因",
    "应计金额（元）", "质量扣减（元）", "违约扣减（元）", "应付金额（元）",
    "家庭自付（元）", "质保金（元）", "应拨金额（元）", "各方承担", "说明",
)  # fmt: skip
WIDTHS = (6, 6, 18, 12, 10, 14, 10, 10, 6, 10, 16, 14, 14, 14, 14, 14, 12, 14, 32, 24)


def workbook(statement: Any, lines: Sequence[Any]) -> bytes:
    """The .xlsx of a statement with all its lines."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties({"title": statement["number"], "created": CREATED})
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "0.00"})
    _summary(book.add_worksheet("结算单"), statement, bold, money)
    _lines(book.add_worksheet("明细"), lines, bold, money)
    book.close()
    return buffer.getvalue()


def _summary(sheet: Any, statement: Any, bold: Any, money: Any) -> None:
    texts = [
        ("结算单号", statement["number"]),
        ("加盟企业", statement["provider_name"]),
        ("结算月份", statement["period"]),
        ("状态", STATUS[statement["status"]]),
        ("出具日期", _day(statement["issued_at"])),
        ("内容摘要 SHA-256", bytes(statement["content_hash"]).hex()),
    ]
    amounts = [
        ("应计金额（元）", "gross_fen"),
        ("质量扣减（元）", "quality_fen"),
        ("违约扣减（元）", "penalty_fen"),
        ("往期调整（元）", "adjustment_fen"),
        ("应付金额（元）", "payable_fen"),
        ("家庭自付（元）", "copay_fen"),
        ("质保金（元）", "holdback_fen"),
        ("应拨金额（元）", "due_fen"),
        ("争议暂缓（元）", "held_fen"),
    ]
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 70)
    for row, (label, value) in enumerate(texts):
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, value)
    for row, (label, name) in enumerate(amounts, start=len(texts)):
        sheet.write_string(row, 0, label, bold)
        sheet.write_number(row, 1, statement[name] / 100, money)


def _lines(sheet: Any, lines: Sequence[Any], bold: Any, money: Any) -> None:
    for column, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    sheet.freeze_panes(1, 0)
    for row, line in enumerate(lines, start=1):
        for column, value in enumerate(_cells(line)):
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            elif isinstance(value, float):
                sheet.write_number(row, column, value, money)
            elif value is not None:
                sheet.write_number(row, column, value)


def _cells(line: Any) -> list[str | int | float | None]:
    """One row; text stays text, whole numbers are counts, fractions are yuan."""
    inputs = line["inputs"]
    amounts = [line[name] / 100 for name in ("gross_fen", "quality_fen", "penalty_fen", "payable_fen", "copay_fen",
                                             "holdback_fen", "due_fen")]  # fmt: skip
    payers = "；".join(f"{PAYER.get(p['payer'], p['payer'])} {yuan(p['payable_fen'])}" for p in line["parts"])
    head: list[str | int | float | None] = [line["position"], KIND[line["kind"]]]
    if line["kind"] == "adjustment":
        blank: list[str | int | float | None] = ["", "", line["service_period"], "", "", None, None, None, ""]
        return [*head, *blank, *amounts, payers, inputs["reason"]]
    service: list[str | int | float | None] = [
        inputs["number"],
        inputs["service_day"],
        line["service_period"],
        inputs["item_code"],
        OUTCOME[inputs["outcome"]],
        inputs["billable_minutes"],
        inputs["rating"],
        inputs["coefficient_bp"] / 10_000,
        "、".join(PENALTY.get(item["name"], item["name"]) for item in inputs["penalties"]),
    ]
    return [*head, *service, *amounts, payers, ""]


def _day(at: datetime | None) -> str:
    return "" if at is None else clock.service_day(at).isoformat()
