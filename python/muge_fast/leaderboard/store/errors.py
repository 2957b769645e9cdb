"""Errors of the store, each with what to do. Those that participants can meet have a message in Chinese."""

from __future__ import annotations


class StoreError(Exception):
    """The store refuses a request, or cannot serve it; ``str`` of it is the English message.

    Attributes:
        en: What is wrong and what to do, in English.
        zh: The same in Chinese; English for errors that only organizers meet.

    """

    def __init__(self, en: str, zh: str = "") -> None:
        super().__init__(en, zh)  # All arguments, so that it can be pickled.
        self.en = en
        self.zh = zh or en

    def __str__(self) -> str:
        return self.en


class UnsafeDatabaseError(StoreError):
    """The database could lose or damage what it stores: a faulty library, a network file system, an old schema."""


class StorageFullError(StoreError):
    """The disk is full: nothing was stored, and what was stored before is intact."""


class NotFoundError(StoreError):
    """There is no row of this id."""


class UnknownTaskError(NotFoundError):
    """There is no task of this name."""

    def __init__(self, slug: str) -> None:
        Exception.__init__(self, slug)
        self.en = f"there is no task {slug!r}"
        self.zh = "没有这个任务"


class RefusedError(StoreError):
    """The request is against a rule, such as joining a second team."""


class ConflictError(StoreError):
    """The key of a request was used for another request, or a name is taken."""


class NameTakenError(ConflictError):
    """Another account or team has the name, or one that looks like it."""

    def __init__(self) -> None:
        Exception.__init__(self)
        self.en = "the name is taken, or looks like one that is: choose another"
        self.zh = "名称已被使用，或与已有名称过于相似：请换一个"
