"""Words of the rules of a challenge; numbers come from the settings."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "rules_lead": (
        "The rules of this board as its code keeps them.",
        "本榜单的规则，由程序严格执行。",
    ),
    "rules_limits": ("Limits of the tasks", "各任务的限制"),
    "rules_no_limit": ("–: no limit", "–：没有限制"),
    "limit_valid_day": ("valid, 24 h", "有效，24 小时"),
    "limit_all_day": ("all files, 24 h", "全部，24 小时"),
    "limit_valid_month": ("valid, month", "有效，每月"),
    "limit_all_month": ("all files, month", "全部，每月"),
    "limit_size": ("Largest file", "文件上限"),
    "limit_opens": ("Opens", "开放"),
    "limit_closes": ("Closes", "结束"),
    "rules_visibility": ("Who sees what", "谁能看到什么"),
    "rules_what": ("What", "内容"),
    "seen_by_all": ("Everyone", "所有人"),
    "seen_by_team": ("The team", "本队"),
    "seen_by_host": ("Organizers", "组织者"),
}

SECTIONS: tuple[tuple[str, tuple[str, str], tuple[tuple[str, str], ...]], ...] = (
    (
        "counts",
        ("What counts", "哪些提交有效"),
        (
            (
                (
                    "A submission is one file for one task. It is accepted at the moment at which "
                    "the site has stored it. "
                    "This time is shown, and it decides in every rule below; an upload that begins "
                    "before a deadline and "
                    "ends after it is late."
                ),
                (
                    "一次提交是针对一个任务的一个文件，以站点保存完成的时刻为接收时间。接收时间公开显示，并作为以下各项规则"
                    "的依据；在截止前开始、截止后才完成的上传视为迟交。"
                ),
            ),
            (
                "Times of acceptance never go back, even if the clock of the site does.",
                "即使站点的时钟被调回，接收时间也不会倒退。",
            ),
            (
                (
                    "A submission is never changed or deleted. Its team may withdraw it from the "
                    "board, and an organizer "
                    "may rule it out with a reason; it still counts for the limits."
                ),
                "提交不会被修改或删除。队伍可以将其从榜单撤下，组织者可以注明原因取消其资格；两种情况下都仍计入次数。",
            ),
        ),
    ),
    (
        "ranking",
        ("Ranking", "排名"),
        (
            (
                (
                    "The published number ranks: the main score of the task, rounded to the decimals "
                    "that are shown, half "
                    "to even, from its exact value. Further decimals decide nothing."
                ),
                "按公布的数值排名：任务的主指标由精确值四舍六入五成双，保留所显示的小数位，更多小数位不起作用。",
            ),
            (
                "Each team has one row: its best submission. Of equally good ones, the first counts.",
                "每支队伍一行，即其最佳提交；得分相同时以最早的为准。",
            ),
            (
                (
                    "Equal numbers share a rank, and the next rank counts them: 1, 2, 2, 4. Among them, the earlier "
                    "acceptance stands first and takes the prize."
                ),
                "得分相同者名次并列，后续名次顺延：1、2、2、4。并列者中接收时间较早的排在前面并获得奖项。",
            ),
            (
                "A submission without a score, or with one that is not a finite number, is not on the board.",
                "没有得分或得分不是有限数的提交不上榜。",
            ),
            (
                (
                    "Withdrawn submissions and those that are ruled out are not on the board. The "
                    "team's next best takes "
                    "their place."
                ),
                "撤下或取消资格的提交不上榜，由该队次佳的提交替代。",
            ),
            (
                (
                    "Baselines of the host are shown between the teams. They have no rank, take none "
                    "from a team, and win "
                    "nothing."
                ),
                "组织者的基线显示在各队之间，没有名次，不占名次，也不获奖。",
            ),
            (
                (
                    "Intervals and marks of neighbors that cannot be distinguished inform; they do not change ranks or "
                    "prizes."
                ),
                "置信区间和“不可分辨”标记仅供参考，不影响名次与奖项。",
            ),
        ),
    ),
    (
        "quotas",
        ("How many files a team may send", "提交次数"),
        (
            (
                (
                    "A team has limits for each task: for files without errors, and for all files, "
                    "in any 24 hours and in "
                    "a calendar month of the zone {zone}."
                ),
                (
                    "每支队伍在每个任务上都有次数限制：分别限制有效文件和全部文件，"
                    "按任意 24 小时以及 {zone} 时区的自然月计。"
                ),
            ),
            (
                (
                    "The 24 hours are those before the submission, not a date. A file that was sent "
                    "at 14:03 is free again "
                    "the next day at 14:03."
                ),
                "24 小时指提交之前的 24 小时，而不是日期。14:03 提交的文件到次日 14:03 不再计数。",
            ),
            (
                (
                    "A file that waits for its verdict counts as one without errors. If errors are "
                    "found, it counts for "
                    "the limit of all files only."
                ),
                "等待评测的文件按有效文件计数；若发现错误，则只计入全部文件。",
            ),
            (
                "Faults of the site are free, and so is a file that is cancelled before its evaluation begins.",
                "系统故障不计数；评测开始前取消的文件也不计数。",
            ),
            (
                "A later evaluation with corrected references or a corrected scorer changes no count.",
                "更正标准答案或评分程序后的重新评测不改变计数。",
            ),
            (
                (
                    "A team's count includes what its members have sent for other teams of the task, and what former "
                    "members have sent for it. Leaving a team or founding one frees nothing."
                ),
                "队伍的计数包括其成员在该任务中为其他队伍的提交，以及前成员为该队的提交。退出或新建队伍不会增加次数。",
            ),
        ),
    ),
    (
        "months",
        ("Monthly results", "月度结果"),
        (
            (
                (
                    "A month ends at midnight of the first of the next month in the zone {zone} (UTC{offset}). A "
                    "submission accepted at that moment or later belongs to the next month."
                ),
                "每月于次月 1 日零点结束，时区为 {zone}（UTC{offset}）。在该时刻或之后接收的提交属于下一个月。",
            ),
            (
                (
                    "A month is closed after it has ended and every submission that was accepted before its end has a "
                    "verdict."
                ),
                "该月结束且截止前接收的提交全部评测完成后进行结算。",
            ),
            (
                (
                    "The record has two lists: the board at the end of the month, of the best of "
                    "each team since the task "
                    "opened, and the best of each team among the submissions of this month."
                ),
                "记录包含两份名单：月末榜单，即各队自任务开放以来的最佳提交；以及当月最佳，即各队该月内的最佳提交。",
            ),
            (
                (
                    "Each list has {prizes} winners, in the order of the board. With fewer teams, "
                    "the other prizes are not "
                    "given. If more teams share the last rank than prizes are left, all of them are listed, and the "
                    "earlier acceptance takes the prize."
                ),
                (
                    "每份名单有 {prizes} 个奖项，按榜单顺序授予。队伍不足时，其余奖项空缺。"
                    "若并列最后名次的队伍多于剩余奖项，"
                    "则全部列出，由接收时间较早者获奖。"
                ),
            ),
            (
                (
                    "For {vetting} days a record is provisional, while the organizers look at the "
                    "winners' submissions. "
                    "Then it is final."
                ),
                "记录公示 {vetting} 天，其间组织者核查获奖提交，之后生效。",
            ),
            (
                (
                    "A closed month is never opened again. A correction is a new revision with a reason; all revisions "
                    "stay visible."
                ),
                "已结算的月份不会重新开放。更正以新的修订版发布并注明原因，所有修订版均可查看。",
            ),
        ),
    ),
    (
        "names",
        ("Names", "名称"),
        (
            (
                "Names of teams and accounts have 1 to 40 characters of any script, with at least one letter or digit.",
                "队伍与账号的名称为 1 至 40 个字符，可使用任何文字，至少包含一个字母、汉字或数字。",
            ),
            (
                (
                    "Invisible characters, characters that control the direction of text, and words for the host are "
                    "refused."
                ),
                "不接受不可见字符、控制文字方向的字符，以及冒充主办方的名称。",
            ),
            (
                "A name is taken if another one looks the same.",
                "与已有名称外观相同的名称不可使用。",
            ),
        ),
    ),
)
"""Sections: id, title, and rules, each in English and Chinese."""

VISIBILITY: tuple[tuple[tuple[str, str], str], ...] = (
    (("board: ranks, numbers, intervals, times", "榜单：名次、得分、区间、时间"), "yyy"),
    (("board: team, method, links", "榜单：队伍、方法、链接"), "ayy"),
    (("a submission on the board: number, time, state", "榜单上的提交：编号、时间、状态"), "yyy"),
    (("a submission that is not on the board", "未上榜的提交"), "nyy"),
    (("the file, its hash, who sent it", "文件、哈希值、提交者"), "nyy"),
    (("errors of the file by line", "文件的逐行错误"), "nyy"),
    (("references and scores of items", "标准答案与逐条得分"), "nry"),
    (("scores in full precision, seconds, addresses", "完整精度的得分、耗时、地址"), "nny"),
)
"""Rows of the table of visibility; a letter for everyone, the team and organizers: see ``MARKS``."""

MARKS: dict[str, tuple[str, str]] = {
    "y": ("yes", "是"),
    "n": ("no", "否"),
    "a": ("yes; the alias if the task is anonymous", "是；匿名任务显示化名"),
    "r": ("only if the references are public", "仅当标准答案公开时"),
}
