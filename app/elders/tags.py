"""The circumstances an elder may be in, and how old names read today. Pure."""

from __future__ import annotations

from datetime import date

TAGS = {
    "extreme_poverty": "特困",
    "urban_three_no": "城市三无",
    "five_guarantees": "农村五保",
    "low_income": "低保",
    "low_income_edge": "低保边缘",
    "living_alone": "独居",
    "empty_nest": "空巢",
    "left_behind": "留守",
    "childless": "孤寡",
    "incapacitated": "失能",
    "semi_incapacitated": "半失能",
    "dementia": "失智",
    "severely_disabled": "重度残疾",
    "bereaved_single_child": "计划生育特殊家庭",
    "entitled_group": "优抚对象",
    "advanced_age": "高龄",
}

MERGED_ON = date(2014, 5, 1)
"""The Interim Measures for Social Assistance (社会救助暂行办法) made 城市三无 and 农村五保 one group: 特困人员."""

_MERGED = frozenset({"urban_three_no", "five_guarantees"})


def as_of(tag: str, day: date) -> str:
    """What `tag` is called on `day`: two older groups are 特困人员 since the merger."""
    return "extreme_poverty" if tag in _MERGED and day >= MERGED_ON else tag
