"""Submitted files, stored under the hash of their bytes."""
