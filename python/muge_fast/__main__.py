"""Run the command line with ``python -m muge_fast``."""

from muge_fast.cli.main import main

main(prog_name="muge-fast")
