"""Words of the overview, of boards, teams, months and data."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # Overview
    "overview_lead": (
        "An open challenge: data for everyone, scores within seconds, and the best {} of every task each month.",
        "开放的挑战赛：数据面向所有人，提交后数秒内得到评分，每月评出各任务的前 {} 名。",
    ),
    "overview_teams": ("teams", "参赛队伍"),
    "overview_submissions": ("submissions", "提交次数"),
    "overview_month_ends": ("{} ends", "{} 截止时间"),
    "overview_left": ("left in this month", "距本月截止"),
    "overview_tasks": ("Tasks", "任务"),
    "overview_first": ("First teams of {}", "{}：领先的队伍"),
    "overview_winners": ("Last results", "最近的月度结果"),
    "open_board": ("Board", "榜单"),
    "how_title": ("How to take part", "如何参加"),
    "how_data": ("Get the data", "获取数据"),
    "how_data_text": (
        "The page of each task describes its files, with sample rows.",
        "各任务的“数据”页介绍文件格式，并附有示例。",
    ),
    "how_check": ("Check your file", "检查文件"),
    "how_check_text": (
        "The command reports every error of a file with its line, as this site does.",
        "该命令会逐行报告文件中的所有错误，与本站的检查一致。",
    ),
    "how_submit": ("Submit it", "提交"),
    "how_submit_text": (
        "In the browser, with curl, or with this command, which waits for the score.",
        "可以使用浏览器、curl，或下面的命令；该命令会等待评分结果。",
    ),
    # Board
    "task_opens": ("Opens at", "开放时间："),
    "task_closes": ("Closes at", "截止时间："),
    "task_closed": ("Closed at", "已于以下时间结束："),
    "anonymous_task": ("anonymous until it ends", "匿名榜单"),
    "frontier_caption": ("Best {} over time", "最佳 {} 的变化"),
    "frontier_point": ("{}: {} by {}", "{}：{}，{}"),
    "frontier_label": (
        "Line of the best score over time, from {} to {}",
        "最佳得分随时间变化的折线，从 {} 到 {}",
    ),
    "filter_label": ("Months of the board", "按月份筛选"),
    "filter_all": ("All time", "全部"),
    "filter_now": ("{}, running", "{}（进行中）"),
    "col_interval": ("{} interval", "{} 置信区间"),
    "col_difference": ("To the first", "与第一名之差"),
    "possible_ranks": ("possible ranks", "可能的名次"),
    "alike": ("not distinguished from the team above", "与上一名没有可分辨的差异"),
    "confirmed": ("confirmed", "已确认"),
    "confirmed_long": (
        "The improvement over the team's earlier best is larger than chance explains",
        "相对该队此前最佳成绩的提升超出偶然波动",
    ),
    "legend_alike": (
        "neighbors that the test items do not distinguish at {}",
        "相邻两队的差异在 {} 置信水平下不可分辨",
    ),
    "legend_alike_all": (
        "All pairs of teams are compared at once, so neighbors may have the mark although an interval excludes 0.",
        "所有队伍两两同时比较，比单个区间更严格：即使差值的区间不含 0，相邻两队也可能带有此标记。",
    ),
    "legend_many": (
        "More than {} teams: possible ranks and marks of neighbors are not computed.",
        "参赛队伍超过 {} 支：不计算可能的名次，也不标记不可分辨的相邻名次。",
    ),
    "legend_ranks": (
        "small: ranks that are possible at {}, and intervals",
        "小字：{} 置信水平下可能的名次与置信区间",
    ),
    "legend_ties": (
        "Equal numbers share a rank; the earlier one stands first.",
        "得分相同者名次并列，接收时间早者排在前面。",
    ),
    "statistics_pending": (
        "Intervals are being computed; load the page again in a moment.",
        "置信区间正在计算，请稍后刷新页面。",
    ),
    "statistics_none": (
        "This task has no scores of items, so neighbors may not be distinguished.",
        "该任务没有逐条得分，因此无法判断相邻名次的差异是否可分辨。",
    ),
    "board_empty": ("No submission has a score yet.", "还没有已评分的提交。"),
    "board_empty_month": ("No submission of this month has a score.", "该月没有已评分的提交。"),
    "score_alt": ("{}, interval {}", "{}，置信区间 {}"),
    # Team
    "anonymous_team": ("anonymous team", "匿名队伍"),
    "team_crumb": ("Team", "队伍"),
    "team_since": ("since", "创建于"),
    "team_all": ("All submissions of the team", "该队的全部提交"),
    "team_listed": ("Submissions on the board", "榜单上的提交"),
    "team_frontier": ("Best of the team over time", "该队最佳成绩的变化"),
    "team_empty": ("The team is on no board.", "该队尚未上榜。"),
    "on_board": ("on the board", "榜单成绩"),
    "withdrawn": ("withdrawn", "已撤下"),
    "ruled_out": ("ruled out", "已取消资格"),
    # Months
    "months_text": (
        "Every month, the first {0} teams of each task win. A result is provisional for {1} days, then final.",
        "每月各任务的前 {0} 名获奖。结果公示 {1} 天后生效。",
    ),
    "months_empty": ("No month has ended yet.", "还没有结束的月份。"),
    "month_running": ("running", "进行中"),
    "month_ended": ("to be closed", "待结算"),
    "month_provisional": ("provisional", "公示中"),
    "month_final": ("final", "已生效"),
    "month_running_text": (
        "A preview: the result if the month ended now. Submissions that wait for a verdict are not in it.",
        "预览：若本月此刻结束的结果，不包括尚未评测的提交。",
    ),
    "month_ended_text": (
        "The month has ended. It is closed when every submission that was accepted before its end has a verdict.",
        "该月已结束。截止前接收的提交全部评测完成后即结算。",
    ),
    "month_provisional_text": (
        "Provisional until {}, while the organizers look at the winners' submissions.",
        "公示至 {}，其间组织者核查获奖提交。",
    ),
    "month_final_text": (
        "Final. A closed month is never opened again; corrections are new revisions with a reason.",
        "已生效。已结算的月份不会重新开放；更正以新的修订版发布，并注明原因。",
    ),
    "month_boundary": ("End of the month", "本月截止"),
    "month_closed_at": ("Closed", "结算时间"),
    "month_revision": ("Revision", "修订版"),
    "month_evaluator": ("Evaluator", "评测版本"),
    "month_board": ("Board at the end of the month", "月末榜单"),
    "month_board_text": (
        "The best submission of each team since the task opened.",
        "各队自任务开放以来的最佳提交。",
    ),
    "month_of_month": ("Best of the month", "当月最佳"),
    "month_of_month_text": (
        "The best submission of each team among those of this month.",
        "各队在该月内的最佳提交。",
    ),
    "month_list_empty": ("No team has a score.", "没有队伍得分。"),
    "month_revisions": ("All revisions", "全部修订版"),
    "month_revision_label": ("revision {}", "第 {} 版"),
    # Data
    "data_metric": ("Ranked by", "排名指标"),
    "data_higher": ("higher is better", "越高越好"),
    "data_lower": ("lower is better", "越低越好"),
    "data_items": ("Items", "条目"),
    "data_items_text": ("one row for each id of the test set", "测试集中每个 ID 一行"),
    "data_format": ("Format", "格式"),
    "data_lines": ("JSON Lines, one object in each line", "JSON Lines，每行一个对象"),
    "data_images": (
        "TSV: an id, a tab, an image in base64 in each line",
        "TSV：每行为 ID、制表符和 base64 编码的图像",
    ),
    "data_size": ("Largest file", "文件上限"),
    "data_options": ("Options of the scorer", "评分选项"),
    "data_references": ("References", "标准答案"),
    "data_references_hidden": (
        "hidden: only published numbers leave the site",
        "不公开：站点只公布得分",
    ),
    "data_references_public": ("public", "公开"),
    "data_fields": ("Fields of a submission", "提交文件的字段"),
    "data_field": ("Field", "字段"),
    "data_type": ("Type", "类型"),
    "data_other_names": ("Other names", "其他名称"),
    "data_sample": ("Sample rows", "示例"),
    "data_sample_text": (
        "From the samples of the package, not from the test set.",
        "取自软件包自带的示例，不是测试集。",
    ),
    "data_check": ("Check and score on your machine", "在本地检查与评分"),
    "data_check_text": (
        (
            "The command needs no account. Without a gold file it checks the format; with that of a validation set it "
            "scores by the same code as this site."
        ),
        "该命令无需账号。不提供标准答案时检查格式；提供验证集的标准答案时，以与本站相同的代码评分。",
    ),
    "data_scores": ("How the score is computed", "得分的计算方式"),
    "data_scores_text": (
        "The signature names every option of the metric, so that the same numbers can be computed anywhere.",
        "签名列出指标的全部选项，据此可在任何地方算出相同的数值。",
    ),
    "about_caption": (
        "Write a caption for each product. Captions are compared with those that people wrote.",
        "为每件商品撰写描述，并与人工撰写的描述比较。",
    ),
    "about_retrieval": (
        "For each query, find the ten images of the pool that fit best, the best one first.",
        "针对每条查询，从候选池中找出最相符的十幅图像，按相符程度由高到低排列。",
    ),
    "about_t2i": (
        "Draw an image for each text. The images are compared with real ones as a whole.",
        "为每条文本生成一幅图像，并将生成图像的整体与真实图像比较。",
    ),
    "about_classification": ("Name the label of each item.", "判断每个条目的类别。"),
    "about_other": ("A task of the package {}.", "由 {} 提供的任务。"),
    "kind_image": ("image in base64", "base64 编码的图像"),
    "kind_Text": ("text", "文本"),
    "kind_TextList": ("list of texts", "文本列表"),
    "kind_Integer": ("integer", "整数"),
    "kind_IntegerList": ("list of integers", "整数列表"),
    "kind_IntegerList_count": ("list of {} integers", "{} 个整数的列表"),
}
