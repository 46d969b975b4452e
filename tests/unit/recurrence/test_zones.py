import pytest

from headrace.recurrence.zones import zone_of


def test_a_zone_has_its_name() -> None:
    assert zone_of("Asia/Seoul").key == "Asia/Seoul"


@pytest.mark.parametrize(
    "name", ["", "Asia", "KST+9", "../etc/passwd", "/etc/localtime", "Asia/Se\0oul", "Nowhere/Else", "x" * 5000]
)
def test_what_is_no_zone_is_refused_whatever_it_looks_like(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of(name)
