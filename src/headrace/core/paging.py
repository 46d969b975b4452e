"""Lists in pages: which rows a page holds."""

from dataclasses import dataclass

from headrace.errors import BadParameter, Problem

MOST_ROWS = 1000
_LAST = 2**62


@dataclass(frozen=True, slots=True)
class Page:
    """Pages count from 0. No page has more than `MOST_ROWS` rows; one of no rows is a way to ask for the count."""

    number: int = 0
    limit: int = MOST_ROWS

    def __post_init__(self) -> None:
        wrong = [name for name, value in (("page", self.number), ("limit", self.limit)) if value < 0]
        if wrong:
            raise BadParameter(Problem("bad-value", "can't be less than 0", field=name) for name in wrong)

    @property
    def rows(self) -> int:
        """How many rows are read."""
        return min(self.limit, MOST_ROWS)

    @property
    def first(self) -> int:
        """How many rows come before; a page beyond what a database can count is as empty as any past the end."""
        return min(self.number * self.rows, _LAST)
