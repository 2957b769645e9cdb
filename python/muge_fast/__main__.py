"""``python -m muge_fast`` is the command ``muge-fast``."""

from muge_fast.cli.main import main

main(prog_name="muge-fast")
