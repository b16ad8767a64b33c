"""A report as a spreadsheet. As of a kept day it is made of kept figures only, so it has the same bytes for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import xlsxwriter

from app.core.clock import SHANGHAI
from app.insight.indicators import INDICATORS, Figure, Unit
from app.insight.service import Group, Report

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CREATED = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
SHEETS = {"provider": "分企业", "division": "分区划", "day": "分日"}
UNITS = {Unit.COUNT: "件", Unit.SHARE: "比率", Unit.MINUTES: "分钟", Unit.FEN: "元"}
HEADINGS = ("指标", "单位", "数值", "分子", "分母", "95% 区间下限", "95% 区间上限", "说明")
NONE, TOO_FEW = "无数据", "样本不足（少于 5 件）"


def file_name(report: Report) -> str:
    """In ASCII: indicators-20261101-20261130-as-of-20261130.xlsx."""
    last = report.question.end - timedelta(days=1)
    as_of = f"-as-of-{report.kept['as_of']:%Y%m%d}" if report.kept else ""
    return f"indicators-{report.question.first:%Y%m%d}-{last:%Y%m%d}{as_of}.xlsx"


def workbook(report: Report, now: datetime) -> bytes:
    """The figures, by provider, division and day, and what they mean."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties({"title": "Nuanxian", "created": CREATED})
    formats = {
        "bold": book.add_format({"bold": True}), Unit.SHARE: book.add_format({"num_format": "0.0%"}),
        Unit.MINUTES: book.add_format({"num_format": "0.0"}), Unit.FEN: book.add_format({"num_format": "0.00"}),
    }  # fmt: skip
    _whole(book.add_worksheet("指标"), report, now, formats)
    for by, name in SHEETS.items():
        _groups(book.add_worksheet(name), report.groups[by], formats)  # type: ignore[index]
    _definitions(book.add_worksheet("口径"), formats["bold"])
    book.close()
    return buffer.getvalue()


def _whole(sheet: Any, report: Report, now: datetime, formats: dict[Any, Any]) -> None:
    asked, kept = report.question, report.kept
    taken = kept["taken_at"] if kept else now
    head = [
        ("服务日期", f"{asked.first} 至 {asked.end - timedelta(days=1)}"),
        ("区划", asked.division or "全部"),
        ("企业", str(asked.provider_id or "全部")),
        ("截至", f"{kept['as_of']} 日末" if kept else "现在"),
        ("统计时间", f"{taken.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"),
    ]
    for row, (label, value) in enumerate(head):
        sheet.write_string(row, 0, label, formats["bold"])
        sheet.write_string(row, 1, value)
    begin = len(head) + 1
    _headings(sheet, begin, HEADINGS, formats["bold"])
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 7, 14)
    for row, one in enumerate(report.figures, start=begin + 1):
        sheet.write_string(row, 0, one.indicator.name)
        sheet.write_string(row, 1, UNITS[one.indicator.unit])
        _value(sheet, row, 2, one, formats)
        sheet.write_number(row, 3, one.part)
        if one.indicator.whole is not None:
            sheet.write_number(row, 4, one.whole)
        for column, edge in ((5, one.low), (6, one.high)):
            if edge is not None:
                sheet.write_number(row, column, edge, formats[Unit.SHARE])
        sheet.write_string(row, 7, "" if one.enough else TOO_FEW if one.whole else NONE)


def _groups(sheet: Any, groups: list[Group], formats: dict[Any, Any]) -> None:
    """A group a row; shares with what they are a share of."""
    shown = groups[0].figures if groups else []
    headings = ["", *(text for one in shown for text in _columns(one))]
    _headings(sheet, 0, headings, formats["bold"])
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 28)
    for row, group in enumerate(groups, start=1):
        sheet.write_string(row, 0, group.name or "未定")
        column = 1
        for one in group.figures:
            _value(sheet, row, column, one, formats)
            if one.indicator.whole is not None:
                sheet.write_number(row, column + 1, one.whole)
            column += len(_columns(one))


def _columns(one: Figure) -> list[str]:
    name = one.indicator.name
    return [name] if one.indicator.whole is None else [name, f"{name}（分母）"]


def _value(sheet: Any, row: int, column: int, one: Figure, formats: dict[Any, Any]) -> None:
    if one.value is not None:
        value = one.value / 100 if one.indicator.unit is Unit.FEN else one.value
        sheet.write_number(row, column, value, formats.get(one.indicator.unit))


def _definitions(sheet: Any, bold: Any) -> None:
    _headings(sheet, 0, ("指标", "单位", "分子", "分母", "依据"), bold)
    sheet.set_column(0, 0, 18)
    sheet.set_column(2, 4, 44)
    for row, one in enumerate(INDICATORS, start=1):
        for column, text in enumerate((one.name, UNITS[one.unit], one.part, one.whole or "", one.source)):
            sheet.write_string(row, column, text)


def _headings(sheet: Any, row: int, headings: Any, bold: Any) -> None:
    for column, text in enumerate(headings):
        sheet.write_string(row, column, text, bold)
