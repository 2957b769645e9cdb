"""The command ``muge-fast``: :mod:`muge_fast.cli.main` is the group, each command has a file of its own."""
