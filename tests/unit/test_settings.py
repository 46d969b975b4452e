from pathlib import Path

import pytest

from headrace import readings, settings
from headrace.errors import SettingInvalid
from headrace.settings import SETTINGS, Setting, load_settings, parse_size


def refused(folder: Path, flags: dict[str, str | None] | None = None, **environment: str) -> str:
    with pytest.raises(SettingInvalid) as caught:
        load_settings(flags or {}, environment, folder)
    return str(caught.value)


def test_a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text('threads = 3\nwriter_wait = 1.5\nstorage = "/file"\nread_back = true\n')
    found = load_settings(
        {"storage": "/flag", "threads": None}, {"HEADRACE_STORAGE": "/environment", "HEADRACE_THREADS": "2"}, tmp_path
    )
    assert {r.setting.name: (r.value, r.origin) for r in found.resolved if r.origin != "default"} == {
        "storage": ("/flag", "flag --storage"),
        "threads": (2, "environment HEADRACE_THREADS"),
        "writer_wait": (1.5, f"file {tmp_path / 'headrace.toml'}"),
        "read_back": (True, f"file {tmp_path / 'headrace.toml'}"),
    }


def test_without_anything_every_setting_has_its_default(tmp_path: Path) -> None:
    found = load_settings({}, {}, tmp_path)
    assert [(r.setting, r.value, r.origin) for r in found.resolved] == [(s, s.default, "default") for s in SETTINGS]


def test_folders_are_below_the_data_folder_unless_told(tmp_path: Path) -> None:
    found = load_settings({"data": str(tmp_path)}, {}, tmp_path)
    assert (found.storage, found.temp_directory) == (tmp_path / "buckets", tmp_path / "tmp")
    found = load_settings({"data": str(tmp_path), "storage": "/s", "temp_directory": "/t"}, {}, tmp_path)
    assert (found.storage, found.temp_directory) == (Path("/s"), Path("/t"))


def test_the_file_may_lie_elsewhere(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("threads = 7")
    assert load_settings({}, {"HEADRACE_CONFIG": str(other)}, tmp_path)["threads"] == 7
    assert refused(tmp_path, HEADRACE_CONFIG=str(tmp_path / "gone.toml")) == (
        f"there is no file {tmp_path / 'gone.toml'}; HEADRACE_CONFIG names it"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("threads = ", "can't be read: "),
        ("thread = 1", "there is no setting 'thread' ("),
        ("[storage]\nx = 1", "storage has to be one value; write settings as name = value"),
        ("threads = [1]", "threads has to be one value"),
        ("threads = true", "threads: 'true' (file "),
        ("threads = -1", "threads: '-1' (file "),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "headrace.toml").write_text(text)
    told = refused(tmp_path)
    assert says in told
    assert str(tmp_path / "headrace.toml") in told


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("threads", "two", "threads: 'two' (flag --threads) can't be; it is a whole number from 0 to 1024"),
        ("threads", "1025", "threads: '1025' (flag --threads) can't be; it is a whole number from 0 to 1024"),
        ("memory_limit", "much", "memory_limit: 'much' (flag --memory-limit) can't be; it is a size like 512MB or 4GB"),
        ("memory_limit", "0", "memory_limit: '0' (flag --memory-limit) can't be; it is a size like 512MB or 4GB"),
        ("writer_wait", "-1", "writer_wait: '-1' (flag --writer-wait) can't be; it is a number of seconds from 0"),
        ("writer_wait", "nan", "writer_wait: 'nan' (flag --writer-wait) can't be; it is a number of seconds from 0"),
        ("read_back", "maybe", "read_back: 'maybe' (flag --read-back) can't be; it is true or false"),
        ("tread", "1", "there is no setting 'tread' (a flag); did you mean threads?"),
    ],
)
def test_a_bad_value_is_told_with_its_origin_and_what_it_may_be(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    assert refused(tmp_path, {name: value}) == says


def test_an_unknown_name_without_a_near_one_is_told_with_all(tmp_path: Path) -> None:
    told = refused(tmp_path, {"zzz": "1"})
    assert told.startswith("there is no setting 'zzz' (a flag); there are data, storage,")


def test_a_secret_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Setting("token", "", readings.threads, "A secret.", secret=True)
    monkeypatch.setattr(settings, "SETTINGS", (secret,))
    monkeypatch.setattr(settings, "BY_NAME", {"token": secret})
    told = refused(tmp_path, HEADRACE_TOKEN="hunter2")
    assert told == "token: its value (environment HEADRACE_TOKEN) can't be; it is a whole number from 0 to 1024"
    shown = [load_settings({}, given, tmp_path).resolved[0].shown for given in ({}, {"HEADRACE_TOKEN": "77"})]
    assert shown == ["(not set)", "(set)"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("512MB", 512 * 1024**2), ("4 GiB", 4 * 1024**3), ("1.5k", 1536), ("2t", 2 * 1024**4), ("7B", 7)],
)
def test_sizes_count_in_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1EB", "0", "1 2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a size like"):
        parse_size(text)
