"""The command line ``muge-fast``, one module for each command."""
