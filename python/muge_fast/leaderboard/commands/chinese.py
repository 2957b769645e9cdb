"""Chinese translations of what the commands of the leaderboard print, by the English text.

Errors of rules and of the store have their Chinese text where they are raised.
"""

MESSAGES = {
    "the database cannot be used: {reason}": "无法使用数据库：{reason}",
    "Note: ": "提示：",
    "no faults": "没有问题",
    "ok": "正常",
    "note": "提示",
    "warning": "警告",
    "fault": "问题",
    # init
    "made the board {folder}": "已创建评测平台 {folder}",
    "add tasks to {path}": "请在 {path} 中添加任务",
    "add a team: muge-fast board team add {folder} NAME": "添加队伍：muge-fast board team add {folder} 名称",
    "serve it:   muge-fast board serve {folder}": "启动平台：muge-fast board serve {folder}",
    "log in on the pages as admin, with the token of the organizer as the password; it is shown only now:": (
        "在网页上以 admin 登录，密码为主办方的令牌，仅显示这一次："
    ),
    "filling the board with teams and two months of submissions …": "正在填充队伍和两个月的提交……",
    "{value} is not a task with its gold file: write NAME=FILE, such as retrieval=gold.jsonl": (
        "{value} 不是任务及其标准答案文件：请写成 名称=文件，例如 retrieval=gold.jsonl"
    ),
    "there is no scorer {name}: write NAME:SCORER=FILE, with a scorer of {choices}": (
        "没有评分器 {name}：请写成 名称:评分器=文件，评分器可选：{choices}"
    ),
    # serve, web, worker
    "{workers}; end with Ctrl-C": "{workers}；按 Ctrl-C 结束",
    "worker": "个评测进程",
    "{name} ended with code {code}, it starts again in {delay} s": "{name} 以代码 {code} 结束，{delay} 秒后重新启动",
    "cannot listen at {host}, port {port}: {reason}": "无法监听 {host} 的端口 {port}：{reason}",
    "the tables are up to date": "数据表已是最新",
    # Tables
    "team": "队伍",
    "alias": "别名",
    "host": "主办方",
    "members": "成员",
    "submissions": "提交",
    "account": "账号",
    "role": "角色",
    "disabled": "停用",
    "label": "标签",
    "scopes": "权限",
    "revoked": "已撤销",
    "ends": "到期",
    "scorer": "评分器",
    "main score": "主要得分",
    "evaluator": "评测器",
    "number": "序号",
    "before": "原分数",
    "after": "新分数",
    "state": "状态",
    "rank": "名次",
    "prize": "奖项",
    # team and user
    "added the team {team} with the account {account}": "已添加队伍 {team}，账号为 {account}",
    "{old} is {new} now": "{old} 已改名为 {new}",
    "{old} is shown as {new} in anonymous tasks": "{old} 在匿名任务中显示为 {new}",
    "the invitation to {team}, for {days} days; put the address of the site before it:": (
        "加入 {team} 的邀请，{days} 天内有效；请在前面加上网站地址："
    ),
    "added the account {name}": "已添加账号 {name}",
    "the password of {name} is set": "已设置 {name} 的密码",
    "{name} is disabled": "已停用 {name}",
    "New password": "新密码",
    "the token {token} is revoked": "已撤销令牌 {token}",
    "a token of {name}, which is shown only now:": "{name} 的令牌，仅显示这一次：",
    # task, rejudge and close-month
    "registered: {tasks}": "已登记：{tasks}",
    "queued {count} evaluations of {task}": "{task} 的 {count} 个评测已排队",
    "see the changes: muge-fast board rejudge show {folder} {task}": (
        "查看变化：muge-fast board rejudge show {folder} {task}"
    ),
    "reason: {reason}": "原因：{reason}",
    "{waiting} of {count} evaluations are still to come": "{count} 个评测中还有 {waiting} 个未完成",
    "{count} evaluations are faulted: queue them again on the admin page": (
        "{count} 个评测因系统故障失败：请在管理页面重新排队"
    ),
    "{changed} of {count} submissions change": "{count} 个提交中有 {changed} 个的分数改变",
    "the board of {task} shows the new evaluation": "{task} 的排行榜已显示新的评测",
    "the old evaluator: {evaluator}": "原评测器：{evaluator}",
    "the new evaluation of {task} is dropped": "已放弃 {task} 的新评测",
    "{month} of {task}, revision {revision}": "{task} {month}，第 {revision} 版",
    "The board at the end of the month": "月末排行榜",
    "The best of the month": "当月最佳",
    # backup, restore, verify and export
    "{rows} and {files}, of which {copied} new": "{rows}，{files}，其中 {copied} 个为新文件",
    "kept {kept}, removed {removed}": "保留 {kept}，删除 {removed} 个",
    "restored the backup {name}: {rows} and {files}": "已恢复备份 {name}：{rows}，{files}",
    "wrote {files} to {folder}": "已将{files}写入 {folder}",
    "removed {files}": "已清除{files}",
    "file": "个文件",
    "backup": "个备份",
    "evaluation": "个评测",
    "verdict": "个评测结果",
    "month": "个月份",
    "audit entry": "条审计记录",
}

HELP = {
    # Headings
    "Tasks": "任务",
    "Storage": "存储",
    "Server": "服务器",
    # Defaults
    "MUGE_FAST_DATABASE, or DIR/board.sqlite": "环境变量 MUGE_FAST_DATABASE，否则 DIR/board.sqlite",
    "MUGE_FAST_BLOBS, or DIR/blobs": "环境变量 MUGE_FAST_BLOBS，否则 DIR/blobs",
    "the name of the team": "队伍名称",
    "it does not end": "永不到期",
    "that of the present gold file, options and version": "当前标准答案文件、选项和版本的评测器",
    "the newest": "最新的",
    # init
    "Make a board: a folder with its settings, a database, and an account of the organizer.": (
        "创建评测平台：含设置的目录、数据库和主办方账号。"
    ),
    "The last line of standard output is the token of the organizer, which is shown only once. Without tasks, add them "
    "to board.toml before the board is served.": (
        "标准输出的最后一行是主办方的令牌，仅显示一次。未指定任务时，请先在 board.toml 中添加任务，再启动平台。"
    ),
    "Exit code 0: the board was made. 2: it was not, and its folder does not exist.": (
        "退出码 0：已创建。2：未创建，也没有留下目录。"
    ),
    "Task and its gold file, which is copied; NAME is a scorer, or NAME:SCORER. May be repeated.": (
        "任务及其标准答案文件（会被复制）；名称为评分器名，或写成 名称:评分器。可重复给出。"
    ),
    "Set up the sample tasks of the package.": "设置软件包自带的样例任务。",
    "Set up the sample tasks, with twenty teams and two months of submissions.": (
        "设置样例任务，并填充二十支队伍和两个月的提交。"
    ),
    "Valid submissions of a team for each task in 24 hours, 0 for no limit.": (
        "每队每个任务 24 小时内的有效提交次数，0 表示不限。"
    ),
    "Zone of the board's months.": "划分月份所用的时区。",
    "Database, postgresql://USER@HOST/NAME.": "数据库，postgresql://用户@主机/名称。",
    "Submitted files, s3://bucket/prefix or a folder.": "提交文件的存储，s3://bucket/prefix 或目录。",
    # serve, web, worker
    "Serve a board: its pages, its API and its workers, until Ctrl-C or SIGTERM.": (
        "启动评测平台：网页、API 和评测进程，直到 Ctrl-C 或 SIGTERM。"
    ),
    "The first line of standard output is the address. Processes that end are started again, and what a worker held is "
    "scored again. Tables of an older version are brought up to date, and remains of broken uploads are removed.": (
        "标准输出的第一行是网址。意外结束的进程会重新启动，其未完成的评测会重新进行。"
        "旧版本的数据表会自动更新，中断的上传留下的文件会被清除。"
    ),
    "Host to listen at.": "监听的主机地址。",
    "Port to listen at, 0 for any free one.": "监听的端口，0 表示任意空闲端口。",
    "Address that browsers use, such as https://muge.example: with https, cookies need TLS.": (
        "浏览器使用的网址，例如 https://muge.example；使用 https 时，Cookie 只经 TLS 发送。"
    ),
    "Address or network of a proxy whose X-Forwarded-For counts. May be repeated.": (
        "可信代理的地址或网段，采信其 X-Forwarded-For。可重复给出。"
    ),
    "Number of workers, each of which scores one submission at a time.": "评测进程数，每个进程一次评测一个提交。",
    "Serve the pages and the API without workers, for a board on several machines.": (
        "只启动网页和 API，不启动评测进程，用于多台机器的平台。"
    ),
    "The first line of standard output is the address.": "标准输出的第一行是网址。",
    "Score submissions without a web server, for a board on several machines, until Ctrl-C or SIGTERM.": (
        "只评测提交，不启动网页，用于多台机器的平台，直到 Ctrl-C 或 SIGTERM。"
    ),
    "Submissions that are scored at the same time.": "同时评测的提交数。",
    "Bring the tables of an older version up to date, as `serve` does. Make a backup first.": (
        "将旧版本的数据表更新到最新，serve 启动时也会这样做。请先备份。"
    ),
    "Run it once while no web server and no worker runs, if the board is on several machines.": (
        "平台在多台机器上时，请在网页服务和评测进程都停止后运行一次。"
    ),
    # team
    "Add, list and rename teams, and invite members.": "添加、列出、重命名队伍，邀请成员。",
    "Add a team with one account, and print its token.": "添加一支队伍及其账号，并输出令牌。",
    "The token is the last line of standard output, and is shown only once. With it, the account sends submissions and "
    "logs in.": "令牌是标准输出的最后一行，仅显示一次。该账号凭令牌提交文件和登录。",
    "Name of the account.": "账号名称。",
    "Name under which the team is shown in anonymous tasks.": "队伍在匿名任务中显示的名称。",
    "The team of the host: its submissions are baselines, without a rank.": "主办方的队伍：其提交为基线，不参与排名。",
    "List the teams with the numbers of their members and submissions.": "列出队伍及其成员数和提交数。",
    "Rename a team. TEAM is its name or its id.": "重命名队伍。TEAM 为队伍的名称或 ID。",
    "Set the name under which a team is shown in anonymous tasks.": "设置队伍在匿名任务中显示的名称。",
    "Make an invitation to a team, for one account.": "生成加入队伍的邀请，供一个账号使用。",
    "The last line of standard output is the path of its link, which is shown only once.": (
        "标准输出的最后一行是邀请链接的路径，仅显示一次。"
    ),
    "Days until it ends.": "有效天数。",
    # user
    "Add, list and disable accounts; set passwords, and make and revoke tokens.": (
        "添加、列出、停用账号；设置密码，生成和撤销令牌。"
    ),
    "Add an account without a team, and print its token.": "添加一个没有队伍的账号，并输出令牌。",
    "ROLE is participant, organizer or admin. The token is the last line of standard output, and is shown only once.": (
        "ROLE 为 participant（参赛者）、organizer（主办方）或 admin（管理员）。令牌是标准输出的最后一行，仅显示一次。"
    ),
    "Role.": "角色。",
    "List the accounts with their roles and teams.": "列出账号及其角色和队伍。",
    "Set the password of an account, and end its sessions.": "设置账号的密码，并结束其所有登录。",
    "The password is asked for on a terminal; otherwise it is the first line of standard input.": (
        "在终端中会询问密码；否则密码为标准输入的第一行。"
    ),
    "Disable an account: its password, sessions and tokens do not work any more.": (
        "停用账号：其密码、登录和令牌都不再有效。"
    ),
    "Erase the name and the password too; submissions and months stay.": ("同时删除名称和密码；提交和月度结果保留。"),
    "Make a token for an account; or list its tokens, or revoke one.": "为账号生成令牌；或列出、撤销令牌。",
    "A new token is the last line of standard output, and is shown only once.": (
        "新令牌是标准输出的最后一行，仅显示一次。"
    ),
    "Label for the owner.": "供账号所有者识别的标签。",
    "Revoke this token instead of making one.": "撤销此令牌，不生成新令牌。",
    "List the tokens instead of making one.": "列出令牌，不生成新令牌。",
    # task
    "List the tasks, show their settings and evaluators, and register changes of board.toml.": (
        "列出任务，查看其设置和评测器，登记 board.toml 的更改。"
    ),
    "List the tasks of board.toml with the numbers of their submissions.": "列出 board.toml 中的任务及其提交数。",
    "Show the settings of a task as they are registered, and its evaluators, as JSON.": (
        "以 JSON 显示任务已登记的设置及其评测器。"
    ),
    "Register the tasks of board.toml, as `serve` does when it starts.": (
        "登记 board.toml 中的任务，serve 启动时也会这样做。"
    ),
    "A changed gold file or option does not change the board: preview it with `muge-fast board rejudge start`.": (
        "更改标准答案文件或选项不会改变排行榜：请用 `muge-fast board rejudge start` 预览。"
    ),
    # rejudge
    "Evaluate all submissions of a task again, see what would change, and apply or drop it as a whole.": (
        "重新评测一个任务的全部提交，预览变化，然后整体采用或放弃。"
    ),
    "Queue all submissions of a task for a new evaluation. The board stays as it is until it is applied.": (
        "将一个任务的全部提交排队进行新的评测。采用之前，排行榜保持不变。"
    ),
    "Reason, which is published.": "原因，将会公布。",
    "An evaluator that was active before.": "曾经使用过的评测器。",
    "Show how far a new evaluation is, and what it would change.": "显示新评测的进度及其带来的变化。",
    "Show the new evaluation on the board. The old one can be brought back by `start --evaluator`.": (
        "在排行榜上显示新的评测。之后可用 `start --evaluator` 恢复原来的评测。"
    ),
    "Apply it even if evaluations are faulted, whose submissions are hidden.": (
        "即使有评测因系统故障失败也采用，对应的提交将不显示。"
    ),
    "Drop a new evaluation. The board stays as it is.": "放弃新的评测，排行榜保持不变。",
    # close-month
    "Close a month of a task, and print its winners. Workers do so on their own when it has ended.": (
        "结算一个任务的一个月，并输出优胜者。月份结束后，评测进程会自动结算。"
    ),
    "MONTH is written as 2026-11. A closed month is never opened again: --reason writes a revision, in which "
    "submissions that were withdrawn or ruled out since are left out.": (
        "MONTH 写成 2026-11 的形式。已结算的月份不会重新打开：--reason 会写入一个修订版，去除此后撤回或取消资格的提交。"
    ),
    "Correct a closed month by a revision; the reason is published.": "以修订版更正已结算的月份；原因将会公布。",
    # backup, restore, verify, export and doctor
    "Write a backup of a board, while it runs, into the folder TARGET.": "将平台备份到目录 TARGET，无需停止平台。",
    "Files that an earlier backup in the folder has are not copied again. The name of the backup is the last line of "
    "standard output.": "目录中较早的备份已有的文件不再复制。标准输出的最后一行是备份的名称。",
    "With --keep, every hash of the new backup is verified before an old one is removed. What is not a backup is left "
    "alone.": "指定 --keep 时，先校验新备份的每个哈希值，再删除旧备份。不是备份的内容不会改动。",
    "Then remove old backups, but for the N newest whole ones.": "随后删除旧备份，只保留最新的 N 个完整备份。",
    "Exit code 0: the backup is complete. 1: files of the board are missing or damaged, and are not in it, or the "
    "backup itself is damaged. 2: there is no backup.": (
        "退出码 0：备份完整。1：平台有文件缺失或损坏，未包含在备份中，或备份本身已损坏。2：没有备份。"
    ),
    "Restore a board from the backups in the folder SOURCE, into a new folder and an empty database.": (
        "从目录 SOURCE 中的备份恢复平台，恢复到新目录和空数据库。"
    ),
    "Every hash, the audit log and the board are verified.": "会校验每个哈希值、审计日志和整个平台。",
    "Name of a backup.": "备份的名称。",
    "Restore the rest if submitted files are missing or damaged.": "提交文件缺失或损坏时仍恢复其余内容。",
    "Check that nothing of a board was lost or changed: files, rows, verdicts, months and the audit log.": (
        "检查平台没有丢失或被更改：文件、数据行、评测结果、月度结果和审计日志。"
    ),
    "Exit code 0: it is whole. 1: it has faults, which are printed. 2: it cannot be opened.": (
        "退出码 0：完好。1：有问题，并列出。2：无法打开。"
    ),
    "Do not read the submitted files, only look whether they exist.": "不读取提交文件，只检查是否存在。",
    "DIR is a folder of backups: verify one of them.": "DIR 为备份目录：校验其中一个备份。",
    "Write the board as plain files that every visitor may see, into the folder TARGET.": (
        "将平台写成所有访客可见的普通文件，放入目录 TARGET。"
    ),
    "The folder must be missing, empty, or an earlier export, which is replaced.": (
        "该目录应不存在、为空，或为较早的导出（会被替换）。"
    ),
    "As plain HTML, CSV and JSON that need no server; there is no other form.": (
        "写成无需服务器的 HTML、CSV 和 JSON；没有其他形式。"
    ),
    "Remove what uploads that broke off left behind: parts of files, and files without a row, after a day.": (
        "清除中断的上传留下的文件：一天前的不完整文件和没有记录的文件。"
    ),
    "Nothing that was acknowledged is removed. `serve` does the same when it starts.": (
        "已确认的提交不会被清除。serve 启动时也会这样做。"
    ),
    "Diagnose a board and its machine: what could lose data, leak references or hold up the queue.": (
        "诊断平台及其机器：可能丢失数据、泄露标准答案或阻塞队列之处。"
    ),
    "Exit code 0: no fault. 1: there are faults, which are printed.": "退出码 0：没有问题。1：有问题，并列出。",
}

CHINESE = {**MESSAGES, **HELP}
