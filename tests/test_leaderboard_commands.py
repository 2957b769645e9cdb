"""``muge-fast board``: making a board, teams, accounts, tasks, rejudge sets and months; help and languages."""

import ast
import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from muge_fast.cli import board as door
from muge_fast.cli.board import LazyGroup
from muge_fast.cli.chinese import CHINESE as SHARED
from muge_fast.cli.language import KEY
from muge_fast.cli.main import main
from muge_fast.cli.program import Command, Group, description
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.commands import COMMANDS
from muge_fast.leaderboard.commands.chinese import CHINESE, HELP, MESSAGES
from muge_fast.leaderboard.commands.chinese_errors import OTHERS, SETTINGS
from muge_fast.leaderboard.commands.notes import NOTES, print_notes
from muge_fast.leaderboard.commands.servers import _environment
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.rules.scopes import SCOPES, TEAM_SCOPES
from muge_fast.leaderboard.samples import SAMPLES
from muge_fast.leaderboard.store.accounts import account_of_token, check_password
from muge_fast.leaderboard.store.audit import Actor, verify_audit
from muge_fast.leaderboard.store.oversight import newest_audit
from muge_fast.leaderboard.store.teams import accept_invitation, find_team_of_name, team_of
from source_files import ROOT, read

QUERIES = SAMPLES / "retrieval" / "MR_sample_queries.jsonl"
FOLDER = ROOT / "python" / "muge_fast" / "leaderboard" / "commands"
TOKEN = re.compile(r"mfb_token_[0-9a-f]{72}")


def run(*arguments, **options):
    return CliRunner().invoke(main, ["board", *map(str, arguments)], **options)


def stdout_of(*arguments, **options):
    result = run(*arguments, **options)
    assert result.exit_code == 0, result.output
    return result.stdout


def error_of(*arguments, **options):
    result = run(*arguments, **options)
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    return result.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make a board of the sample tasks once; its folder and the token of the organizer."""
    folder = tmp_path_factory.mktemp("template") / "board"
    return folder, stdout_of("init", folder, "--samples").splitlines()[-1]


@pytest.fixture
def folder(template, tmp_path):
    return shutil.copytree(template[0], tmp_path / "board")


@pytest.fixture
def opened(folder):
    board = open_board(folder)
    yield board
    board.close()


# init


def test_init_prints_the_token_of_the_organizer_and_asks_nothing(template):
    folder, token = template
    assert TOKEN.fullmatch(token)
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "board.sqlite", "board.toml", "gold"]
    board = open_board(folder)
    account = account_of_token(board.database, token)
    assert (account.name, account.role, account.scopes) == ("admin", "admin", SCOPES)
    assert sorted(board.settings.tasks) == ["caption", "classification", "retrieval"]
    assert (board.settings.zone.key, board.settings.languages) == ("Asia/Shanghai", ("zh", "en"))
    board.close()


def test_only_the_owner_may_read_the_folder(template):
    assert stat.S_IMODE(template[0].stat().st_mode) == 0o700


@pytest.mark.parametrize(("quota", "limits"), [("0", (0, 0)), ("3", (3, 15)), (None, (5, 25))])
def test_quota(tmp_path, quota, limits):
    options = [] if quota is None else ["--quota", quota]
    stdout_of("init", tmp_path / "board", "--samples", *options)
    board = open_board(tmp_path / "board")
    found = board.settings.tasks["caption"].limits
    assert (found.valid_per_day, found.all_per_day) == limits
    board.close()


def test_init_copies_the_gold_files_of_tasks(tmp_path):
    given = ["--task", f"retrieval={QUERIES}", "--task", f"search-2:retrieval={QUERIES}", "--zone", "Europe/Berlin"]
    stdout_of("init", tmp_path / "board", *given)
    board = open_board(tmp_path / "board")
    assert {slug: task.scorer for slug, task in board.settings.tasks.items()} == {
        "retrieval": "retrieval",
        "search-2": "retrieval",
    }
    assert (tmp_path / "board" / "gold" / "search-2.jsonl").read_bytes() == QUERIES.read_bytes()
    assert board.settings.zone.key == "Europe/Berlin"
    board.close()


def test_a_board_without_tasks_says_what_to_add(tmp_path):
    result = run("init", tmp_path / "board")
    assert result.exit_code == 0
    assert f"add tasks to {tmp_path / 'board' / 'board.toml'}" in result.stderr
    assert error_of("task", "list", tmp_path / "board").startswith("Error: board.toml: tasks: missing: add a table")
    # The comment in the file is an example that works.
    path = tmp_path / "board" / "board.toml"
    path.write_text(
        path.read_text("utf-8").replace("# [tasks.retrieval]", "[tasks.retrieval]").replace("# gold =", "gold =", 1)
    )
    (tmp_path / "board" / "gold" / "MR_test_queries.jsonl").write_bytes(QUERIES.read_bytes())
    assert "registered: retrieval" in run("task", "register", tmp_path / "board").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task", "retrieval"], "'retrieval' is not a task with its gold file: write NAME=FILE"),
        (["--task", f"search={QUERIES}"], "there is no scorer 'search': write NAME:SCORER=FILE"),
        (["--task", "retrieval=nowhere"], "--task nowhere: no such file"),
        (["--task", f"retrieval={SAMPLES / 'caption' / 'IC_sample.jsonl'}"], "gold file"),
        (["--task", f"Not_A_Slug:retrieval={QUERIES}"], "is not a name for addresses"),
        (["--samples", "--zone", "Asia/Beijing"], "did you mean 'Asia/Shanghai'?"),
        (["--samples", "--task", f"retrieval={QUERIES}"], "--task and --samples exclude each other"),
        (["--samples", "--quota", "-1"], "--quota: must be an integer of at least 0"),
        (["--samples", "--database", "mysql://x/y"], "databases of mysql are not supported"),
    ],
)
def test_nothing_is_left_of_a_board_that_cannot_be_made(tmp_path, arguments, message):
    assert message in error_of("init", tmp_path / "board", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_left_alone(tmp_path, template):
    (tmp_path / "mine").write_text("x")
    assert error_of("init", tmp_path) == f"Error: {tmp_path} is not empty: name a new folder"
    assert error_of("init", tmp_path, "--lang", "zh") == f"错误：{tmp_path} 不是空目录：请指定新的目录"
    before = sorted(template[0].rglob("*"))
    assert "is not empty" in error_of("init", template[0], "--samples")
    assert sorted(template[0].rglob("*")) == before


def test_an_empty_folder_becomes_the_board(tmp_path):
    (tmp_path / "board").mkdir()
    stdout_of("init", tmp_path / "board", "--samples")
    assert (tmp_path / "board" / "board.toml").is_file()


def test_init_on_postgresql(tmp_path, postgresql_server):
    address = postgresql_server.new_database()
    token = stdout_of("init", tmp_path / "board", "--samples", "--database", address).splitlines()[-1]
    assert not (tmp_path / "board" / "board.sqlite").exists()
    # The address may come from the environment, because other users see arguments.
    team = stdout_of("team", "add", tmp_path / "board", "red", env={"MUGE_FAST_DATABASE": address})
    board = open_board(tmp_path / "board", database=address)
    names = [account_of_token(board.database, secret.strip()).name for secret in (token, team)]
    assert names == ["admin", "red"]
    board.close()
    assert "the database has a board" in error_of("init", tmp_path / "other", "--samples", "--database", address)
    assert not (tmp_path / "other").exists()


# Teams and accounts


def test_team_add_prints_a_token_that_can_submit(folder, opened):
    token = stdout_of("team", "add", folder, "红裙子", "--alias", "Team A")
    assert TOKEN.fullmatch(token.strip())
    account = account_of_token(opened.database, token.strip())
    assert (account.name, account.role, account.scopes) == ("红裙子", "participant", TEAM_SCOPES)
    with opened.database.read() as connection:
        team = team_of(connection, account.id)
    assert (team.name, team.alias, team.host) == ("红裙子", "Team A", False)


def test_a_name_that_is_taken_leaves_no_account(folder, opened):
    stdout_of("team", "add", folder, "Red Team")
    with opened.database.read() as connection:
        before = len(newest_audit(connection))
    message = "the name is taken, or looks like one that is: choose another"
    assert error_of("team", "add", folder, "rеd teаm", "--account", "other") == f"Error: {message}"
    assert error_of("team", "add", folder, "Red Team", "--lang", "zh").startswith("错误：名称已被使用")
    with opened.database.read() as connection:
        assert len(newest_audit(connection)) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("=1+1", "must not begin with '='"),
        ("admin", "is reserved for the host"),
        ("a\u202eb", "invisible"),
        ("", "empty"),
    ],
)
def test_names_of_teams_are_checked(folder, name, message):
    assert message in error_of("team", "add", folder, name)


def test_the_host_has_reserved_names(folder, opened):
    stdout_of("team", "add", folder, "MUGE baseline", "--host", "--account", "host 1")
    with opened.database.read() as connection:
        assert find_team_of_name(connection, skeleton("MUGE baseline")).host


def test_teams_are_listed_renamed_and_invited_to(folder, opened):
    stdout_of("team", "add", folder, "red")
    stdout_of("team", "rename", folder, "RED", "深红")
    stdout_of("team", "alias", folder, "深红", "Team B")
    (found,) = json.loads(stdout_of("team", "list", folder, "--json"))
    assert (found["name"], found["alias"], found["members"], found["submissions"]) == ("深红", "Team B", 1, 0)
    heads, row = stdout_of("team", "list", folder, "--lang", "zh").splitlines()
    assert heads.split() == ["队伍", "别名", "主办方", "成员", "提交", "id"]
    assert row.startswith("深红")
    # By its id, too.
    stdout_of("team", "rename", folder, found["id"], "red again")
    path = stdout_of("team", "invite", folder, "red again").strip()
    member = account_of_token(opened.database, stdout_of("user", "add", folder, "bob").strip())
    secret = path.removeprefix("/team/join?invitation=")
    assert accept_invitation(opened.database, secret, account_id=member.id, actor=Actor("bob")) == found["id"]
    assert error_of("team", "rename", folder, "blue", "x").startswith("Error: there is no team 'blue'")


def test_accounts_have_passwords_tokens_and_an_end(folder, opened):
    token = stdout_of("user", "add", folder, "ann", "--role", "organizer").strip()
    account = account_of_token(opened.database, token)
    assert (account.role, account.scopes) == ("organizer", SCOPES)
    assert stdout_of("user", "password", folder, "Ann", input="correct horse\n") == ""
    assert check_password(opened.database, skeleton("ann"), "correct horse").id == account.id
    second = stdout_of("user", "token", folder, "ann", "--label", "laptop", "--days", "30").strip()
    assert account_of_token(opened.database, second).id == account.id
    row = next(line for line in stdout_of("user", "token", folder, "ann", "--list").splitlines() if "laptop" in line)
    stdout_of("user", "token", folder, "ann", "--revoke", row.split()[-1])
    assert account_of_token(opened.database, second) is None
    stdout_of("user", "disable", folder, "ann")
    assert account_of_token(opened.database, token) is None
    rows = json.loads(stdout_of("user", "list", folder, "--json"))
    assert [(one["name"], one["role"], bool(one["disabled_at"])) for one in rows] == [
        ("admin", "admin", False),
        ("ann", "organizer", True),
    ]
    stdout_of("user", "disable", folder, "ann", "--erase")
    assert "ann" not in stdout_of("user", "list", folder)
    assert error_of("user", "password", folder, "ann", input="x\n").startswith("Error: there is no account 'ann'")
    assert verify_audit(opened.database) == []


def test_an_empty_password_is_refused(folder):
    assert error_of("user", "password", folder, "admin", input="\n") == "Error: a password has between 1 and 1024 bytes"


def test_secrets_are_not_in_the_audit_log(folder, opened):
    secret = stdout_of("team", "add", folder, "red").strip()
    stdout_of("user", "password", folder, "red", input="correct horse\n")
    with opened.database.read() as connection:
        entries = newest_audit(connection)
    assert {entry.actor for entry in entries if "token" in entry.action} == {
        "muge-fast board init",
        "muge-fast board team add",
    }
    assert secret not in str(entries)
    assert "horse" not in str(entries)


# Tasks and rejudge sets


def test_tasks_are_listed_with_their_settings(folder):
    rows = json.loads(stdout_of("task", "list", folder, "--json"))
    assert [(row["task"], row["scorer"], row["main"], row["submissions"]) for row in rows] == [
        ("retrieval", "retrieval", "mean_recall", 0),
        ("caption", "caption", "cider_d", 0),
        ("classification", "classification", "accuracy", 0),
    ]
    made = json.loads(stdout_of("task", "settings", folder, "retrieval"))
    assert (made["version"], made["settings"]["gold"]) == (1, "gold/retrieval.jsonl")
    assert [one["state"] for one in made["evaluators"]] == ["active"]


def test_a_changed_gold_file_is_previewed_and_applied(folder):
    gold = folder / "gold" / "retrieval.jsonl"
    gold.write_text(gold.read_text("utf-8").replace("10003]", "10004]"), "utf-8")
    result = run("task", "register", folder)
    command = f"muge-fast board rejudge start {folder} retrieval --reason …"
    assert f"Note: the gold file of retrieval changed: preview a new evaluation with `{command}`" in result.stderr
    chinese = run("task", "register", folder, "--lang", "zh").stderr
    assert f"提示：retrieval 的标准答案文件已更改：请用 `{command}` 预览新的评测" in chinese
    assert error_of("rejudge", "show", folder, "retrieval").startswith("Error: retrieval has no new evaluation")
    assert error_of("rejudge", "start", folder, "retrieval") == "Error: --reason is missing"
    stdout_of("rejudge", "start", folder, "retrieval", "--reason", "a typing error")
    assert "has an open rejudge set" in error_of("rejudge", "start", folder, "retrieval", "--reason", "again")
    made = json.loads(stdout_of("rejudge", "show", folder, "retrieval", "--json"))
    assert (made["state"], made["reason"], made["changes"]) == ("ready", "a typing error", [])
    result = run("rejudge", "apply", folder, "retrieval")
    old = re.search(r"the old evaluator: (\S+)", result.stderr)[1]
    assert "already" in error_of("rejudge", "start", folder, "retrieval", "--reason", "x")
    stdout_of("rejudge", "start", folder, "retrieval", "--reason", "it was right", "--evaluator", old)
    stdout_of("rejudge", "drop", folder, "retrieval")


def test_an_unknown_task_lists_all(folder):
    message = "there is no task 'poems', choose from retrieval, caption, classification"
    assert error_of("rejudge", "show", folder, "poems") == f"Error: {message}"
    assert error_of("close-month", folder, "poems", "2026-01") == f"Error: {message}"
    assert error_of("close-month", folder, "poems", "2026-01", "--lang", "zh").startswith(
        "错误：没有任务 'poems'，可选"
    )


def test_a_month_is_closed_once(folder):
    assert "is not a month" in error_of("close-month", folder, "retrieval", "2026-13")
    assert "尚不能结算" in error_of("close-month", folder, "retrieval", "2999-01", "--lang", "zh")
    result = run("close-month", folder, "retrieval", "2026-01")
    assert "2026-01 of retrieval, revision 1" in result.stderr
    assert "closed" in error_of("close-month", folder, "retrieval", "2026-01")
    again = run("close-month", folder, "retrieval", "2026-01", "--reason", "a copied file")
    assert "revision 2" in again.stderr


# Errors


def test_a_folder_that_is_not_a_board(tmp_path):
    for arguments in (("team", "list"), ("serve",), ("worker",), ("web",), ("verify",)):
        assert "there is no board.toml in" in error_of(*arguments, tmp_path)


def test_every_problem_of_the_settings_has_its_line(folder):
    (folder / "board.toml").write_text('zone = "Asia/Beijing"\nprizes = 0\n')
    result = run("team", "list", folder)
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.split(": ")[2] for line in lines] == ["zone", "prizes", "tasks"]


def test_a_database_that_is_lost_is_never_made_again(folder):
    (folder / "board.sqlite").unlink()
    for command in ("serve", "worker", "migrate"):
        assert "there is no database" in error_of(command, folder)
    assert not (folder / "board.sqlite").exists()


def test_the_error_of_a_server_has_one_line(folder):
    address = "postgresql://postgres@127.0.0.1:1/board?connect_timeout=1"
    assert error_of("team", "list", folder, "--database", address).startswith("Error: the database cannot be used: ")


def test_without_the_extra_one_line_names_it(monkeypatch):
    def missing(_):
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

    monkeypatch.setattr(door, "import_module", missing)
    group = LazyGroup("board")
    monkeypatch.setitem(main.commands, "board", group)
    message = "the leaderboard needs sqlalchemy, which is not installed: pip install 'muge-fast[leaderboard]'"
    for arguments in (("init", "x"), ("--help",), ("nothing",)):
        assert error_of(*arguments) == f"Error: {message}"
    # The help of the program does without.
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0


def test_processes_get_addresses_by_the_environment(monkeypatch):
    monkeypatch.setattr("sys.path", ["/usr/lib/python"])
    address = "postgresql://ann:password@host/board"
    assert _environment(address, None) == {"MUGE_FAST_DATABASE": address, "PYTHONSAFEPATH": "1"}
    # Unless this process itself was found in the present folder.
    monkeypatch.setattr("sys.path", ["", "/usr/lib/python"])
    assert _environment(None, "s3://bucket") == {"MUGE_FAST_BLOBS": "s3://bucket"}


# Help


def every_command(commands=COMMANDS):
    for command in commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from every_command(command.commands)


def paths(commands=COMMANDS, before=()):
    for name, command in commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from paths(command.commands, (*before, name))


def texts_of_help():
    for command in every_command():
        yield from description(command)
        for parameter in command.get_params(click.Context(command)):
            if isinstance(parameter, click.Option) and not parameter.hidden:
                text, _, default = parameter.help.partition("  [default: ")
                yield text
                if " " in default:
                    yield default.removesuffix("]")
                yield getattr(parameter, "section", "Other options")


def test_every_text_of_the_help_has_a_translation():
    assert [text for text in texts_of_help() if text not in {**SHARED, **CHINESE}] == []


def test_every_translated_text_is_used():
    assert set(HELP) - set(texts_of_help()) == set()
    # Names of what was verified come from the operations.
    files = [*FOLDER.glob("*.py"), *FOLDER.with_name("operations").glob("*.py")]
    code = "".join(read(path) for path in files if path.name != "chinese.py")
    joined = re.sub(r'"\s+"', "", code)
    assert [text for text in MESSAGES if f'"{text}"' not in joined and text not in ("ok", "note")] == []


def messages():
    """Yield the texts that commands print."""
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("note", "translate"):
                constants = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                yield from (text for text in constants if isinstance(text, str))


def test_every_message_has_a_translation():
    found = set(messages())
    assert len(found) > 30
    assert found - set(SHARED) - set(CHINESE) == set()
    fields = re.compile(r"\{\w+\}")
    for english, chinese in {**CHINESE, **NOTES}.items():
        assert sorted(fields.findall(english)) == sorted(fields.findall(chinese)), english


BAD_SETTINGS = """
title = 5
zone = "Asia/Beijing"
prizes = 0
prises = 8
languages = ["fr"]
vetting_days = "x"
registration = "no"
[limits]
valid_per_day = 9
all_per_day = 3
[tasks.captions]
gold = "../x"
[tasks.retrieval]
opens = "2026"
higher_is_better = false
[tasks.retrieval.options]
k = 3
[tasks.Caption]
scorer = "caption"
gold = "/x"
"""


def test_every_problem_of_the_settings_is_in_chinese(tmp_path):
    (tmp_path / "board.toml").write_text(BAD_SETTINGS)
    lines = run("team", "list", tmp_path, "--lang", "zh").stderr.splitlines()
    assert len(lines) == len(run("team", "list", tmp_path).stderr.splitlines()) > 12
    for line in lines:
        place, _, words = line.removeprefix("错误：board.toml：").partition("：")
        assert re.fullmatch(r"[\w.]+", place), line
        assert re.search("[\u4e00-\u9fff]", words), line
        assert not re.search(r"\b(must|choose|write|missing|unknown|there|larger|remove|list)\b", words), line


def test_errors_have_the_placeholders_of_their_texts_and_are_raised():
    fields = re.compile(r"\{\w+\}")
    code = " ".join(
        read(path)
        for path in (ROOT / "python" / "muge_fast").rglob("*.py")
        if path.name not in ("chinese_errors.py", "chinese.py")
    )
    joined = re.sub(r'"\s+f?"', "", code)
    for english, chinese in {**SETTINGS, **OTHERS}.items():
        assert sorted(fields.findall(english)) == sorted(fields.findall(chinese)), english
        words = max(fields.split(english), key=len).strip(" ,:;?'(\"").split()
        windows = [" ".join(words[start : start + 3]) for start in range(max(1, len(words) - 2))]
        assert any(window in joined for window in windows), english


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--database", "mysql://x"], "错误：不支持 mysql 数据库"),
        (["--database", "no.sqlite"], "错误：没有数据库 'no.sqlite'"),
        (["--blobs", "ftp://x"], "错误：地址 'ftp://x' 不是文件存储"),
    ],
)
def test_errors_of_storages_are_in_chinese(folder, options, message):
    assert error_of("team", "list", folder, "--lang", "zh", *options).startswith(message)
    assert "board.toml" in error_of("team", "list", folder / "gold", "--lang", "zh")


def test_notes_of_a_registration_are_translated_as_a_whole(capsys):
    advice = "preview a new evaluation with `muge-fast board rejudge start DIR search --reason …`"
    values = {"task": "search", "old": "0.1", "new": "0.2", "advice": advice}
    for note in NOTES:
        with click.Context(main, info_name="x") as context:
            context.meta[KEY] = "zh"
            print_notes([note.format_map(values | {"command": "muge-fast x"})], Path("board"))
        words = re.sub(r"`.*`|board\.toml|muge-fast|search", "", capsys.readouterr().err)
        assert not re.search("[a-z]{2}", words), words


@pytest.mark.parametrize("path", list(paths()), ids=" ".join)
def test_help_in_both_languages(path):
    english = run(*path, "--help", terminal_width=80)
    assert english.exit_code == 0
    assert english.output.startswith(f"Usage: muge-fast board {' '.join(path)} [OPTIONS]")
    assert max(map(len, english.output.splitlines())) <= 80
    chinese = run(*path, "--help", "--lang", "zh")
    assert chinese.output.startswith("用法：")
    assert "显示本帮助并退出。" in chinese.output


def test_commands_have_the_common_options():
    assert {type(command) for command in every_command()} == {Command, Group}
    assert list(COMMANDS)[:5] == ["init", "serve", "team", "user", "task"]
    listed = re.findall(r"^  ([\w-]+)  +\S", run("--help").output.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)


def test_misspelled_commands_have_suggestions():
    assert error_of("sreve") == "Error: no command sreve, did you mean serve?"
    assert error_of("team", "ad", "x") == "Error: no command ad, did you mean add?"
    assert error_of("init") == "Error: DIR is missing"
    assert error_of("init", "x", "--databse", "y") == "Error: no option --databse, did you mean --database?"


def test_the_program_without_board_imports_no_database():
    script = "import sys; from muge_fast.cli.main import main; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "False\n"
