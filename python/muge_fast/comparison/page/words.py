"""Words of pages of comparisons in English and Chinese."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "systems": ("{} systems", "{} 个系统"),
    "items": ("{} items", "{} 个条目"),
    "level": ("level {} %", "置信水平 {} %"),
    # The first system
    "first_by": ("First by {}", "{} 第一名"),
    "equal_score": ("and {} more with the same score", "另有 {} 个系统得分相同"),
    "alone": (
        "Every other system is significantly worse at {} %.",
        "其余系统均显著更差（{} % 水平）。",
    ),
    "tied_systems": ("Tied with the first at {} %: {}.", "与第一名无显著差异（{} % 水平）：{}。"),
    "against": (
        "Against {}: {} significantly better, {} significantly worse, {} without a significant difference.",
        "与 {} 相比：{} 个系统显著更好，{} 个显著更差，{} 个无显著差异。",
    ),
    "more_systems": ("and {} more", "等另外 {} 个"),
    # Drawings
    "system": ("system", "系统"),
    "difference_to": ("difference to {}", "与 {} 之差"),
    "rank_range": ("possible ranks", "可能的名次"),
    "rank_label": ("{}: ranks {}, score at rank {}", "{}：名次 {}，得分排第 {}"),
    "legend_first": (
        (
            "Blue: tied with the first. Red: significantly worse than another system. Bars show the ranks that the "
            "items allow, dots the rank of the score."
        ),
        "蓝色：与第一名无显著差异；红色：显著差于其他系统。横条为数据允许的名次，圆点为得分的名次。",
    ),
    "legend_baseline": (
        (
            "Green and red: significantly better and worse than the baseline. Blue: no significant difference. Bars "
            "show the ranks that the items allow, dots the rank of the score."
        ),
        "绿色、红色：显著优于、差于基线；蓝色：无显著差异。横条为数据允许的名次，圆点为得分的名次。",
    ),
    # Table
    "tied": ("tied with the first", "与第一名无显著差异"),
    "baseline": ("baseline", "基线"),
    "tied_note": (
        "Tied with the first: not significantly worse than any system at {} %, which does not mean equal.",
        "“与第一名无显著差异”：在 {} % 水平下不显著差于任何系统，但不等于相同。",
    ),
    "digits_note": (
        "Scores have two significant digits of their standard error.",
        "分数按标准误保留两位有效数字。",
    ),
    "sort": ("Sort by this column", "按此列排序"),
    # Matrix
    "matrix": ("All pairs", "两两比较"),
    "p": ("p-values, not adjusted for the number of pairs.", "p 值，未按系统对数校正。"),
    "adjusted_p": ("p-values, adjusted for the number of pairs.", "p 值，已按系统对数校正。"),
    "matrix_note": (
        ("▲: the system of the row is better than that of the column, ▼: worse. Shaded: significant at {} %."),
        "▲：行系统优于列系统；▼：行系统差于列系统。有底色：在 {} % 水平下显著。",
    ),
    "matrix_cut": ("The first {} of {} systems.", "{1} 个系统中的前 {0} 个。"),
    # Items
    "pairs": ("Items with the largest differences", "差异最大的条目"),
    "pairs_note": ("By {}. Items are scored alone.", "按 {} 排列，各条目单独评分。"),
    "pairs_cut": (
        "The page has {} of {} pairs, those of the first systems.",
        "本页显示 {1} 对系统中名次靠前的 {0} 对。",
    ),
    "pairs_full": (
        "Items are shown until they take {} MB; further ones are left out.",
        "条目总量达到 {} MB 后不再列出。",
    ),
    "no_items": (
        "These metrics belong to the whole set and do not score single items.",
        "这些指标针对整个集合，不对单个条目评分。",
    ),
    "pair": ("pair of systems", "系统对"),
    "versus": ("{} and {}", "{} 与 {}"),
    "wins": (
        "{0} is better on {2} items, {1} on {3}; {4} are equal.",
        "{0} 在 {2} 个条目上更好，{1} 在 {3} 个条目上更好，{4} 个条目相同。",
    ),
    "better_on": ("{} is better", "{} 更好"),
    "id": ("id", "ID"),
    "difference": ("difference", "差"),
    "marks": (
        "Marked: n-grams of two or more tokens in submission and gold; dotted: single tokens in both. Tokenizer: {}.",
        "高亮：提交内容与标准答案共有的二元及以上 n 元组；虚线：共有的单个词元。分词器：{}。",
    ),
    # What was compared
    "inputs": ("What was compared", "比较对象"),
    "file": ("file", "文件"),
    "signature": ("comparison", "比较方法"),
    "metric_signature": ("metric", "指标"),
    "left_out": ("left out", "未比较"),
    "files": ("Files of all systems", "各系统的文件"),
    # Limits
    "limits": ("What the numbers do not cover", "这些数字不涵盖的内容"),
    "limit_items": (
        (
            "Only the choice of the items is random here: intervals and p-values say what other items of the same "
            "kind would show."
        ),
        "这里只有条目的选取被视为随机：区间与 p 值说明的是换用同类的其他条目会怎样。",
    ),
    "limit_seeds": (
        "Seeds of training and decoding: another run of the same system may score differently.",
        "训练与解码的随机种子：同一系统再运行一次，得分可能不同。",
    ),
    "limit_references": (
        "Annotators: other references or labels of the same items.",
        "标注者：同一条目的其他参考答案或标签。",
    ),
    "limit_sets": ("Other test sets: another domain, source or time.", "其他测试集：不同的领域、来源或时间。"),
    "limit_repeats": (
        (
            "Choices made with these items: systems or options selected by repeated scores on this set look better "
            "here than elsewhere."
        ),
        "针对这些条目的反复选择：通过多次在本测试集上评分挑选出的系统或选项，在此处会显得更好。",
    ),
    "limit_metrics": (
        "Several metrics: p-values and rank ranges are those of one metric, whatever the number of metrics.",
        "多个指标：p 值与名次区间针对单个指标，未按指标个数校正。",
    ),
}

WORDS: Final = {lang: {key: pair[index] for key, pair in _WORDS.items()} for index, lang in enumerate(("en", "zh"))}
"""Words by language and key."""
