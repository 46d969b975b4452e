import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import StoreDenied
from headrace.plan.ops import Place
from headrace.stores.names import (
    ancestors,
    check_bucket,
    check_key,
    clean_prefix,
    file_name,
    file_number,
    is_data,
    within,
)


@pytest.mark.parametrize("name", ["lake", "a-1", "2024.logs", "abc", "a" * 63, "1.2.3.4.5", "a.2.3.4"])
def test_a_bucket_has_a_name_of_object_storage(name: str) -> None:
    check_bucket(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 64,
        "Lake",
        "la_ke",
        ".lake",
        "lake.",
        "-lake",
        "lake-",
        "la/ke",
        "..",
        "10.0.0.1",
        "한글버킷",
        "lake\n",
    ],
)
def test_any_other_bucket_name_is_refused(name: str) -> None:
    with pytest.raises(StoreDenied, match="can't be a bucket's name"):
        check_bucket(name)


@pytest.mark.parametrize(
    "key", ["a", "a/b.csv", "한글/파일 1.csv", "100%+1", "back\\slash", "..a", "a..", "...", "[1]*?"]
)
def test_a_key_is_text_with_slashes(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "empty"),
        ("/a", "begins with a slash"),
        ("/", "begins with a slash"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        (".", "'.' and '..'"),
        ("..", "'.' and '..'"),
        ("a/../b", "'.' and '..'"),
        ("a/./b", "'.' and '..'"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\x7f", "control"),
        ("a\x85", "control"),
        ("a" * 256, "255 bytes"),
        ("글" * 86, "255 bytes"),
        ("/".join(["a" * 200] * 6), "1024 bytes"),
        ("a\ud800", "Unicode"),
    ],
)
def test_a_key_that_a_folder_or_an_object_store_can_not_keep_is_refused(key: str, fault: str) -> None:
    with pytest.raises(StoreDenied, match=fault):
        check_key(key)


@pytest.mark.parametrize(("prefix", "clean"), [("", ""), ("a", "a"), ("a/", "a"), ("a/b/", "a/b")])
def test_a_prefix_may_end_with_one_slash(prefix: str, clean: str) -> None:
    assert clean_prefix(Place("lake", prefix)) == clean


@pytest.mark.parametrize("prefix", ["/", "//", "a//", "/a", "a/../b", "_logs", "a/.git/b", "a/_headrace/run-1"])
def test_a_prefix_that_can_not_hold_data_is_refused(prefix: str) -> None:
    with pytest.raises(StoreDenied):
        clean_prefix(Place("lake", prefix))


def test_a_folder_contains_itself_and_what_is_below_it_but_no_longer_name() -> None:
    assert [within(key, "a1") for key in ("a1", "a1/b", "a1/b/c", "a10", "a10/b", "a", "b/a1")] == [
        *(True, True, True),
        *(False, False, False, False),
    ]
    assert within("a", "")


def test_the_folders_above_come_outermost_first() -> None:
    assert ancestors("a/b/c") == ("a", "a/b")
    assert ancestors("a") == ()


def test_one_hidden_part_hides_the_key() -> None:
    assert [is_data(key) for key in ("a/b", "a/_b", "_a/b", "a/.b/c", "a_/b.")] == [True, False, False, False, True]


@given(st.text(max_size=40))
def test_a_key_that_is_taken_has_parts_that_stay_below_the_bucket(key: str) -> None:
    try:
        check_key(key)
    except StoreDenied:
        return
    assert not {"", ".", ".."} & set(key.split("/"))
    assert "\0" not in key


def test_a_file_is_known_by_its_run_and_its_folder_alone() -> None:
    assert file_name(7, "run1", "deep/a.snappy.parquet") == "part-00007-run1.snappy.parquet"
    assert file_name(123456, "run1", "b") == "part-123456-run1"
    known = ["out/part-00007-run1.snappy.parquet", "out/part-123456-run1"]
    others = ["out/sub/part-00007-run1.csv", "out/part-00007-x-run1.csv", "out/part-7-run1.csv", "part-00007-run1"]
    assert [file_number(key, "out", "run1") for key in (*known, *others)] == [7, 123456, None, None, None, None]
