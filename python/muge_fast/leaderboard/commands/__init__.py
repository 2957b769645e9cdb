"""``muge-fast board``: the commands of an organizer, a module for each command or group of commands."""

from __future__ import annotations

import click

from muge_fast.cli.language import add_translations
from muge_fast.leaderboard.commands.chinese import CHINESE
from muge_fast.leaderboard.commands.init import init
from muge_fast.leaderboard.commands.months import close
from muge_fast.leaderboard.commands.operations import backup, doctor, export, restore, sweep, verify
from muge_fast.leaderboard.commands.rejudge import rejudge
from muge_fast.leaderboard.commands.servers import migrate, serve, web, worker
from muge_fast.leaderboard.commands.tasks import task
from muge_fast.leaderboard.commands.teams import team
from muge_fast.leaderboard.commands.users import user

FIRST = (init, serve, team, user, task)
LATER = (rejudge, close, backup, restore, verify, export, doctor, web, worker, migrate, sweep)
COMMANDS: dict[str, click.Command] = {str(command.name): command for command in (*FIRST, *LATER)}

add_translations(CHINESE)
