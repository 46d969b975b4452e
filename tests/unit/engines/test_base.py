"""How far a run is, as people are told."""

import pytest

from headrace.engines.base import Progress


@pytest.mark.parametrize(
    ("part", "rows", "told"),
    [
        (0.0, None, "0%"),
        (0.418, None, "42%"),
        (0.5, 1_000, "50%, about 500 of 1,000 rows"),
        (0.4187, 20_117_345, "42%, about 8,420,000 of 20,100,000 rows"),
        (0.0, 7, "0%, about 0 of 7 rows"),
        (1.0, 0, "100%, about 0 of 0 rows"),
    ],
)
def test_progress_is_told_with_as_many_digits_as_are_known(part: float, rows: int | None, told: str) -> None:
    assert Progress(part, "a node", rows).told == told
