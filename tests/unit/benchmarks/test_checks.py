"""A wrong result is noticed, and the order of addition is not taken for one."""

from pathlib import Path

from benchmarks.checks import differences, short, summary


def test_sums_of_doubles_may_differ_in_their_last_digits() -> None:
    assert differences({"sum(amount)": 1e9}, {"sum(amount)": 1e9 + 0.01}) == []
    assert differences({"sum(amount)": 1e9}, {"sum(amount)": 1e9 + 10}) == [
        "sum(amount): 1000000000.0 and 1000000010.0"
    ]


def test_counts_and_dates_agree_exactly() -> None:
    one = {"count(*)": 10**12, "max(day)": "2024-12-30"}

    assert differences(one, {"count(*)": 10**12 + 1, "max(day)": "2024-12-30"}) == [
        "count(*): 1000000000000 and 1000000000001"
    ]
    assert differences(one, {**one, "max(day)": "2024-12-31"}) == ["max(day): 2024-12-30 and 2024-12-31"]


def test_the_summary_of_a_csv_result_does_not_hang_on_how_an_engine_spells_numbers(tmp_path: Path) -> None:
    header, rest = "id,name,amount,day,city,note\n", ",2024-01-02,Seoul,by train\n"
    (tmp_path / "one.csv").write_text(f'{header}7,"Kim, ""Min""",500.0{rest}')
    (tmp_path / "other.csv").write_text(f'{header}7,"Kim, ""Min""",500{rest}')

    one, other = (summary("w1", str(tmp_path / name)) for name in ("one.csv", "other.csv"))

    assert differences(one, other) == []
    assert (one["count(*)"], one["sum(amount)"], one["min(day)"], one["sum(length(name))"]) == (
        1, 500.0, "2024-01-02", 10,
    )  # fmt: skip


def test_lists_are_compared_one_by_one() -> None:
    one = {"list(revenue)": [1e9, 2.0, "Kim"]}

    assert differences(one, {"list(revenue)": [1e9 + 0.01, 2.0, "Kim"]}) == []
    assert differences(one, {"list(revenue)": [1e9, 2.1, "Kim"]}) != []
    assert differences(one, {"list(revenue)": [1e9, 2.0]}) != []


def test_of_a_long_list_a_digest_is_kept_that_tells_other_values_apart() -> None:
    kept, other = (short({"count(*)": 99, "list(id)": [*range(98), last]}) for last in (98, 99))

    assert kept["count(*)"] == 99
    assert str(kept["list(id)"]).startswith("99 values, SHA-256 ")
    assert kept != other
    assert short({"list(id)": [1, 2]}) == {"list(id)": [1, 2]}
