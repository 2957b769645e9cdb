"""Run a program that imports pycocoevalcap with the classes of this package.

``python -m muge_fast.compat.pycocoevalcap -m some.module arguments``, or ``… script.py arguments``.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from muge_fast.compat.pycocoevalcap.installing import install

USAGE = "usage: python -m muge_fast.compat.pycocoevalcap (-m MODULE | SCRIPT) [ARGUMENT ...]"


def main(arguments: list[str]) -> None:
    """Run a module or a script after :func:`install`.

    Args:
        arguments: ``-m`` and the name of a module, or the path of a script, then the arguments of the program.

    Raises:
        SystemExit: No program is named.

    """
    is_module = arguments[:1] == ["-m"]
    program, rest = (arguments[1:2], arguments[2:]) if is_module else (arguments[:1], arguments[1:])
    if not program or program[0] in {"-h", "--help"}:
        raise SystemExit(USAGE)
    install()
    sys.argv = [program[0], *rest]
    if is_module:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return
    sys.path[0] = str(Path(program[0]).resolve().parent)
    runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
