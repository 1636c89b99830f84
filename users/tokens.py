"""Generating and hashing access tokens."""

import hashlib
import re
import secrets

# People and secret scanners recognize a leaked token by its prefix.
PREFIX = "desk_"
HINT_LENGTH = 4
_SHAPE = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_token() -> str:
    """Return a new token: the prefix and 256 random bits, in base64url (RFC 4648, section 5)."""
    return PREFIX + secrets.token_urlsafe(32)


def is_well_formed(token: str) -> bool:
    """Return True if `token` has the format of `new_token`."""
    return _SHAPE.fullmatch(token) is not None


def hint(token: str) -> str:
    """Return the end of `token`, by which people recognize it. 232 bits of it stay secret."""
    return token[-HINT_LENGTH:]


def digest(token: str) -> str:
    """Return the SHA-256 digest of `token`, as 64 hexadecimal characters.

    A token has 256 bits of entropy: it needs no salt and no slow hash to resist guessing.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def unusable_digest() -> str:
    """Return the digest of a token that nobody knows."""
    return digest(new_token())
