"""The commands of ``muge-fast``, one file each."""
