"""Text that controls what shows it, for attacks on terminals, pages and tables. It is used by attacks."""

import json
import os
import re
from pathlib import Path

from click.testing import CliRunner

from muge_fast.cli.main import main

# What a terminal, a bidirectional line or a reader of logs takes for more than text.
CONTROLS = {
    "clear screen": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "one byte for two": "\x9b2J\x9d0;x\x9c",
    "carriage return": "ok\rError: none",
    "line end": "x\nvalid: 64 rows",
    "other line ends": "x\u2028y\u2029z\x85w\x0b\x0c",
    "backspace": "bad\b\b\bok\x7f",
    "direction": "\u202egnp.exe\u202c\u2066\u2069\u200f",
    "no width": "a\u200b\u200c\u200d\u2060\ufeffb\u00ad",
    "filler": "\u3164\u115f\u1160\uffa0\u2800\u034f",
    "tags": "\U000e0041\U000e0042\U000e0100",
    "private": "\ue000\U0010ffff\ufffe",
    "accents": "a" + "\u0301" * 200,
}
SURROGATE = {"half of a pair": "x\ud83d"}
# Printed by click for colours.
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def flaws(text):
    """Return what is not one of the characters that output may have."""
    seen = re.sub(r"[̀-ͯ]{5,}", "ACCENTS", STYLE.sub("", text))
    return (
        {letter for letter in seen if not (letter.isprintable() or letter in "\n\u3000")}
        | {letter for letter in seen if letter in "\u3164\u115f\u1160\uffa0\u2800\u034f"}
        | ({"accents"} if "ACCENTS" in seen else set())
    )


def check_output(arguments, output):
    """Raise if the output of a command is more than visible text; JSON has accents as they are."""
    allowed = {"accents"} if "--json" in arguments else set()
    assert not flaws(output) - allowed, (arguments, flaws(output), output[-500:])


def run(*arguments, data=None):
    """Run the command, with colours as on a terminal; return the exit code and all that it prints."""
    done = CliRunner().invoke(main, list(map(os.fspath, arguments)), input=data, color=True)
    assert done.exception is None or isinstance(done.exception, SystemExit), (arguments, done.exception)
    return done.exit_code, done.output


def write(folder, name, rows):
    """Write rows as JSON lines; return the path."""
    path = Path(folder) / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
