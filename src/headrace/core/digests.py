"""Secrets that are shown once and kept as a digest: 256 bits from a cryptographic source, which nobody can guess."""

import hashlib
import hmac
import secrets

_BYTES = 32


def new_secret(prefix: str) -> str:
    """A fresh secret; what it begins with tells people, and programs that look for leaks, what it is."""
    return f"{prefix}_{secrets.token_urlsafe(_BYTES)}"


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_it(secret: str, kept: str) -> bool:
    """Whether a digest is that of this secret."""
    return hmac.compare_digest(digest(secret), kept)
