"""Errors of the store. Each says what was asked for and what to do."""

from __future__ import annotations


class StoreError(Exception):
    """The store refuses a request, or cannot serve it."""


class UnsafeDatabaseError(StoreError):
    """The database could lose or damage what it stores: a faulty library, a network file system, an old schema."""


class StorageFullError(StoreError):
    """The disk is full: nothing was stored, and what was stored before is intact."""


class NotFoundError(StoreError):
    """There is no row of this id."""


class RefusedError(StoreError):
    """The request is against a rule, such as joining a second team."""


class ConflictError(StoreError):
    """The key of a request was used for another request, or a name is taken."""
