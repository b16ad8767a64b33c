"""Names as they were given in the decades in which today's elders and caregivers were born. Pure.

The lists are our own and short, so that the same few names come up again and again and nobody takes them for
real. Every so often a name that systems stumble over: a character outside the basic plane, a middle dot, a
surname of two characters, one character only.
"""

from __future__ import annotations

from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何林高罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕任单仇解查盖"

GIVEN: dict[str, dict[int, tuple[str, ...]]] = {
    "male": {
        1930: ("德明", "福生", "守义", "长贵", "世昌", "永禄", "宝山", "金堂", "兴旺", "文魁"),
        1940: ("建国", "国栋", "志远", "玉林", "大成", "树德", "万福", "学礼", "振华", "有才"),
        1950: ("援朝", "卫国", "建军", "解放", "和平", "永胜", "国庆", "跃进", "新民", "天成"),
        1960: ("红卫", "文革", "向阳", "爱国", "铁柱", "志强", "建设", "立新", "春生", "海涛"),
        1970: ("军", "勇", "建平", "晓东", "伟", "志刚", "永红", "海军", "小龙", "斌"),
        1980: ("磊", "涛", "鹏", "浩", "晓峰", "俊杰", "超", "亮", "凯", "宁"),
        1990: ("子豪", "宇航", "佳伟", "帅", "一鸣", "文博", "昊天", "志鹏", "瑞", "嘉诚"),
    },
    "female": {
        1930: ("桂英", "秀兰", "玉珍", "淑贞", "凤英", "翠花", "月娥", "桂兰", "金莲", "素琴"),
        1940: ("秀英", "玉兰", "桂芳", "淑英", "凤兰", "玉梅", "秀珍", "兰英", "桂香", "菊花"),
        1950: ("爱华", "建英", "玉华", "秀芳", "桂莲", "彩霞", "国英", "素梅", "春兰", "玉凤"),
        1960: ("红梅", "卫红", "秋菊", "丽华", "爱琴", "春梅", "玉霞", "桂花", "晓红", "雪梅"),
        1970: ("丽", "艳", "燕", "海燕", "红霞", "晓梅", "静", "敏", "春燕", "娟"),
        1980: ("婷", "娜", "倩", "丽娟", "雪", "晓燕", "玲", "莉", "芳", "佳"),
        1990: ("梦瑶", "欣怡", "雨婷", "思思", "佳琪", "晨曦", "小雅", "诗涵", "雯", "慧"),
    },
}

RARE = (
    ("𠮷秀英", "female"), ("赵䶮", "male"), ("欧阳玉兰", "female"), ("买买提·吐尔逊", "male"),
    ("阿依古丽·卡德尔", "female"), ("扎西才让", "male"), ("曾喆", "male"), ("张𬱖", "male"),
    ("司马援朝", "male"), ("古丽娜尔·买买提", "female"), ("马尔丹·哈力", "male"), ("卓玛", "female"),
    ("单于德明", "male"), ("李㛃", "female"), ("撒玉珍", "female"), ("哈桂英", "female"),
)  # fmt: skip
"""A few names, with the sex of whoever bears them, that are right and that software gets wrong."""


def name(draw: Random, sex: str, year: int) -> str:
    """A name for somebody of `sex` ("male" or "female") born in `year`."""
    decade = min(max(year // 10 * 10, 1930), 1990)
    return draw.choice(SURNAMES) + draw.choice(GIVEN[sex][decade])
