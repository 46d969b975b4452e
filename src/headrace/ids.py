"""The only place that makes ids.

The vendor's ids of jobs, executions, workflows and triggers are 12 letters and digits (API reference, section 1);
ours have the same form, from a cryptographic source, so that they can't be guessed or collide: 62^12 is about 2^71.
"""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 12


def new_id() -> str:
    """Twelve letters and digits; the first is a letter, so that an id can stand as a name anywhere."""
    first = secrets.choice(string.ascii_letters)
    return first + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
