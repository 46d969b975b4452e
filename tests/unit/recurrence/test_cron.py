import pytest

from headrace.recurrence.cron import checked


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (" 0  9 * * mon ", "0 9 * * mon"),
        ("@Daily", "0 0 * * *"),
        ("*/15 8-18 1,15 JAN-MAR *", "*/15 8-18 1,15 JAN-MAR *"),
        ("0 0 L * *", "0 0 L * *"),
    ],
)
def test_an_expression_or_its_short_name(text: str, expression: str) -> None:
    assert checked(text) == expression


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not five fields"),
        ("0 0 * *", "is not five fields"),
        ("0 0 0 * * *", "is not five fields"),
        ("@reboot", "is not five fields"),
        ("60 0 * * *", "no such minute"),
        ("0 24 * * *", "no such hour"),
        ("0 0 32 * *", "no such day-of-month"),
        ("0 0 1 13 *", "no such month"),
        ("0 0 * * 8", "no such day-of-week"),
        ("0 0 30 2 *", "no such day-of-month"),
        ("*/0 * * * *", "no such minute"),
        ("a b c d e", "no such minute"),
        ("0 0 1 1 " + "1," * 120 + "1", "at most 200 signs"),
    ],
)
def test_what_is_none_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        checked(text)
