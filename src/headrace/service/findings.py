"""What the doctor finds: a part, how it is, and what would do."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of it. `hint` says what would do, when something is not as it should be."""

    part: str
    state: State
    told: str
    hint: str = ""


def good(part: str, told: str) -> Finding:
    """As it should be."""
    return Finding(part, "ok", told)


def poor(part: str, told: str, hint: str) -> Finding:
    """Worth a look."""
    return Finding(part, "warn", told, hint)


def bad(part: str, told: str, hint: str) -> Finding:
    """It will not work like this."""
    return Finding(part, "wrong", told, hint)
