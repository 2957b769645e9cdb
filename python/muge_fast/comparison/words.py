"""Words of tables and pages of comparisons, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TESTS_IN_WORDS", "WORDS"]

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "system": "system",
        "score": "score",
        "interval": "{level} interval",
        "difference": "vs {name}",
        "p": "p",
        "adjusted_p": "adjusted p",
        "missing": "missing items",
        "ranks": "rank",
        "tied": "tied with the first",
        "tied_note": "= tied with the first: not significantly worse at {level}.",
        "ranks_note": "The rank ranges of a table hold at once at {level}.",
        "not_adjusted": "The p-values are not adjusted for the number of pairs.",
        "baseline_note": "Only pairs with {name} were compared, so ranges are wider.",
        "space": " ",
        "times": "times {factor}",
        "items": "{items} items",
        "test": "Test: {test}.",
        "detectable": "These items show a true difference of {value} in four of five cases.",
        "constant": "All items differ by the same amount, so they do not show how small a difference would be found.",
        "left_out": "{name} is left out: {reason}",
        "title": "Comparison of {count} systems",
    },
    "zh": {
        "system": "系统",
        "score": "分数",
        "interval": "{level} 区间",
        "difference": "与 {name} 之差",
        "p": "p 值",
        "adjusted_p": "校正 p 值",
        "missing": "缺失条目",
        "ranks": "名次",
        "tied": "与第一名无显著差异",
        "tied_note": "= 表示在 {level} 水平下与第一名无显著差异。",
        "ranks_note": "每个表中的名次区间在 {level} 水平下同时成立。",
        "not_adjusted": "p 值未按系统对数校正。",
        "baseline_note": "只比较了与 {name} 的各对系统，名次区间因而较宽。",
        "space": "",
        "times": "乘以 {factor}",
        "items": "{items} 个条目",
        "test": "检验方法：{test}。",
        "detectable": "若真实差异为 {value}，这些条目有五分之四的机会将其显示出来。",
        "constant": "所有条目的差异都相同，因此无法得知能够检出多小的差异。",
        "left_out": "未比较 {name}：{reason}",
        "title": "{count} 个系统的比较",
    },
}

TESTS_IN_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "sign_flip": "sign flips",
        "swap": "swaps of items (approximate randomization)",
        "bootstrap": "shifted bootstrap",
        "t": "paired t",
        "normal": "z of the first-order standard error",
    },
    "zh": {
        "sign_flip": "符号翻转检验",
        "swap": "条目互换检验（近似随机化）",
        "bootstrap": "平移自助法",
        "t": "配对 t 检验",
        "normal": "一阶标准误的 z 检验",
    },
}
