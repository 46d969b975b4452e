"""What is wrong with a text of SQL, with its place."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the text: line and column, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class SqlFault:
    """One thing that is wrong, and what would do."""

    message: str
    place: Place
    hint: str = ""
    code: str = "bad-sql"


class SqlInvalid(ValueError):
    """The text can't be run. Holds every fault that was found."""

    def __init__(self, faults: Sequence[SqlFault]) -> None:
        super().__init__("; ".join(f"{fault.place}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


def place_at(text: str, offset: int) -> Place:
    """The line and column of an offset."""
    before = text[: max(offset, 0)]
    return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
