"""Secrets: sealed for their owner, under keys that change."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.auth.secrets import KEY_FILE, Secrets, SecretUnreadable, load_secrets, new_key
from headrace.errors import SettingInvalid

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_is_sealed_opens_for_its_owner_alone() -> None:
    secrets = Secrets.of(OLD)
    sealed = secrets.seal("비밀 secret", owner="key1")
    assert "secret" not in sealed
    assert secrets.open(sealed, owner="key1") == "비밀 secret"
    with pytest.raises(SecretUnreadable, match="not as it was sealed"):
        secrets.open(sealed, owner="key2")


def test_the_same_text_is_never_sealed_alike() -> None:
    secrets = Secrets.of(OLD)
    assert secrets.seal("a", owner="k") != secrets.seal("a", owner="k")


def test_after_a_rotation_the_old_key_opens_and_the_new_one_seals() -> None:
    sealed = Secrets.of(OLD).seal("a", owner="k")
    both = Secrets.of(NEW, OLD)
    assert both.open(sealed, owner="k") == "a"
    assert not both.is_current(sealed)
    again = both.seal("a", owner="k")
    assert both.is_current(again)
    assert Secrets.of(NEW).open(again, owner="k") == "a"
    with pytest.raises(SecretUnreadable, match="not here"):
        Secrets.of(NEW).open(sealed, owner="k")


@pytest.mark.parametrize("spoil", [lambda t: t[:-4] + "AAA=", lambda t: t[:20], lambda t: "", lambda t: "v2" + t[2:]])
def test_a_seal_that_was_touched_does_not_open(spoil: Callable[[str], str]) -> None:
    secrets = Secrets.of(OLD)
    with pytest.raises(SecretUnreadable):
        secrets.open(spoil(secrets.seal("a", owner="k")), owner="k")


def test_keys_do_not_show() -> None:
    secrets = Secrets.of(OLD)
    assert "oooo" not in repr(secrets)
    assert base64.b64encode(OLD).decode() not in repr(secrets)


def test_the_first_start_makes_a_key_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    made = load_secrets(tmp_path / "data")
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert load_secrets(tmp_path / "data") == made
    assert [file.name for file in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(SettingInvalid, match="others may read"):
        load_secrets(tmp_path)


def test_keys_given_by_setting_need_no_file(tmp_path: Path) -> None:
    text = f"{new_key()},{new_key()}\n"
    assert len(load_secrets(tmp_path, text).keys) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["short", "!!!", base64.b64encode(b"k" * 31).decode(), "열쇠"])
def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        load_secrets(tmp_path, text)
    assert text not in str(refused.value)
