"""Errors of the leaderboard's commands: one line in the language of the user, and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from muge_fast.cli.board import missing_package
from muge_fast.cli.errors import WRONG_USAGE, Ended, print_error, usage_errors
from muge_fast.cli.language import language, translate
from muge_fast.leaderboard.commands.chinese_errors import error_in_chinese
from muge_fast.leaderboard.operations.messages import OperationError
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.settings import SettingsError
from muge_fast.leaderboard.store.errors import StoreError


@contextmanager
def board_errors() -> Iterator[None]:
    """Turn every error into lines on stderr and exit code 2, those of rules, store and settings in both languages.

    Yields:
        Nothing.

    """
    with usage_errors():
        try:
            yield
        except SettingsError as error:
            _print_problems(error)
            raise Ended(WRONG_USAGE) from None
        except ModuleNotFoundError as error:
            raise ImportError(missing_package(error)) from error
        except (RefusalError, StoreError, OperationError, SQLAlchemyError, ValueError, FileNotFoundError) as error:
            if (message := _message(error)) is None:
                raise
            raise ValueError(message) from error


def _message(error: Exception) -> str | None:
    """Return the message of an error of the leaderboard; None for an error that the command line words."""
    is_chinese = language() == "zh"
    if isinstance(error, OperationError):
        return error.message.text(language())
    if isinstance(error, RefusalError | StoreError):
        return error.zh if is_chinese else error.en
    if isinstance(error, SQLAlchemyError):
        # Messages of drivers have more lines, with the statement and its values.
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        return translate("the database cannot be used: {reason}").format(reason=reason)
    translated = error_in_chinese(str(error)) if is_chinese else str(error)
    return None if translated == str(error) else translated


def _print_problems(error: SettingsError) -> None:
    """Print a line for each problem of ``board.toml``."""
    for problem in error.problems:
        key, colon, text = problem.partition(": ")
        if language() == "en":
            print_error(f"board.toml: {problem}")
        elif colon and (shown := error_in_chinese(text)) != text:
            print_error(f"board.toml：{key}：{shown}")
        else:
            print_error(f"board.toml：{error_in_chinese(problem)}")
