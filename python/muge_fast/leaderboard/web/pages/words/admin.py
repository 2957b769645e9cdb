"""Words of the pages of organizers."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "admin_queue": ("Queue", "队列"),
    "admin_queue_empty": ("Nothing waits.", "没有等待的评测。"),
    "admin_latest": ("Latest submissions", "最近的提交"),
    "admin_file": ("File", "文件"),
    "admin_oldest": ("waits longest", "最长等待"),
    "admin_faults": ("Faults", "故障"),
    "admin_faults_text": (
        "Evaluations that failed three times by a fault of the site. They are free of the quota.",
        "因系统故障连续三次失败的评测，不计入提交次数。",
    ),
    "admin_no_faults": ("There are no faults.", "没有故障。"),
    "admin_fault": ("Last fault", "最后一次故障"),
    "admin_ended": ("Ended", "结束时间"),
    "admin_requeue": ("Try again", "重新评测"),
    "admin_attempt": ("Tries", "尝试次数"),
    "admin_worker": ("Worker", "评测进程"),
    "admin_teams": ("Teams", "队伍"),
    "admin_accounts": ("Accounts", "账号"),
    "admin_rejudges": ("Evaluators", "评测版本"),
    "admin_audit": ("Audit log", "审计日志"),
    "account_active": ("active", "可用"),
    "account_disabled": ("disabled", "已停用"),
    "account_disable": ("Disable", "停用"),
    "account_erased": ("(erased)", "（已删除）"),
    # Rejudging
    "rejudge_text": (
        (
            "A new gold file or package version makes a new evaluator. It judges all submissions "
            "next to the active one, "
            "and takes its place as a whole, or not at all. Times, limits and closed months stay as they are."
        ),
        (
            "标准答案或软件包版本改变后会产生新的评测版本。它与当前版本并行评测全部提交，然后整体替换或整体放弃；"
            "接收时间、次数限制和已结算的月份不受影响。"
        ),
    ),
    "evaluator": ("Evaluator", "评测版本"),
    "evaluator_version": ("muge_fast", "muge_fast"),
    "evaluator_gold": ("Gold file", "标准答案"),
    "evaluator_draft": ("draft", "草稿"),
    "evaluator_active": ("active", "使用中"),
    "evaluator_retired": ("retired", "已停用"),
    "rejudge_computing": ("computing", "计算中"),
    "rejudge_ready": ("ready", "待决定"),
    "rejudge_applied": ("applied", "已采用"),
    "rejudge_cancelled": ("dropped", "已放弃"),
    "rejudge_mark": ("preview", "预览"),
    "rejudge_reason": ("Reason", "原因"),
    "rejudge_from": ("From", "原版本"),
    "rejudge_to": ("To", "新版本"),
    "rejudge_start": ("Compute a preview", "计算预览"),
    "rejudge_no_candidate": (
        "No other evaluator can be computed now.",
        "目前没有可以计算的其他评测版本。",
    ),
    "rejudge_waiting": ("Evaluations to come", "尚未完成的评测"),
    "rejudge_changed": ("Changed numbers", "得分有变化"),
    "rejudge_ranks": ("Ranks that change", "名次变化"),
    "rejudge_rank_before": ("Rank now", "当前名次"),
    "rejudge_rank_after": ("Rank then", "新名次"),
    "rejudge_changes": ("Numbers that change", "得分变化"),
    "rejudge_before": ("Now", "当前得分"),
    "rejudge_after": ("Then", "新得分"),
    "rejudge_more": ("and {} more", "另有 {} 个"),
    "rejudge_no_change": ("No number changes so far.", "到目前为止没有得分变化。"),
    "rejudge_decide": ("Decide", "决定"),
    "rejudge_decide_text": (
        "Applying switches the board at once. Type the name of the task, {}, to confirm.",
        "采用后榜单立即切换。请输入任务名称 {} 以确认。",
    ),
    "rejudge_confirm": ("Name of the task", "任务名称"),
    "rejudge_with_faults": (
        "Apply it even with faults; those submissions leave the board",
        "即使有故障也采用；相应的提交将离开榜单",
    ),
    "rejudge_apply": ("Apply", "采用"),
    "rejudge_drop": ("Drop", "放弃"),
    # Audit
    "audit_text": (
        (
            "Every change by an account or a command. Entries are never changed, and each holds the hash "
            "of the one before."
        ),
        "账号或命令所做的每项更改。记录不可修改，每条记录包含前一条的哈希值。",
    ),
    "audit_change": ("Change", "更改"),
    "audit_newer": ("Newer", "较新"),
    "audit_older": ("Older", "较早"),
}
