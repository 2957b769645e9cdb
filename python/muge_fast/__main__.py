"""``python -m muge_fast`` is the command ``muge-fast``."""

from muge_fast.cli import main

main(prog_name="muge-fast")
