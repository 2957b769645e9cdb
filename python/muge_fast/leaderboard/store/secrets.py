"""Secrets that are shown once and stored as their SHA-256: API tokens, sessions, invitations.

They have 32 random bytes, so a fast hash is enough. The prefix lets scanners find a token that was published by
mistake, and the check digits find typing errors without a query.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

SECRET = re.compile(r"mfb_([a-z]+)_([0-9a-f]{64})([0-9a-f]{8})")


def new_secret(kind: str) -> str:
    """Return a new secret.

    Args:
        kind: Purpose of the secret, such as ``"token"``.

    Returns:
        The secret, such as ``"mfb_token_…"``.

    Example:
        >>> from muge_fast.leaderboard.store.secrets import is_secret, new_secret
        >>> is_secret(new_secret("token"), "token")
        True

    """
    body = secrets.token_hex(32)
    return f"mfb_{kind}_{body}{_check_digits(body)}"


def is_secret(text: str, kind: str) -> bool:
    """Return whether a text is written like a secret.

    Args:
        text: The text.
        kind: Purpose that it should have.

    Returns:
        Whether prefix and check digits are right. Whether the secret exists is another question.

    """
    match = SECRET.fullmatch(text)
    return match is not None and match[1] == kind and match[3] == _check_digits(match[2])


def _check_digits(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def secret_hash(text: str) -> str:
    """Return the hash under which a secret is stored.

    Args:
        text: The secret.

    Returns:
        SHA-256 in hexadecimal.

    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
