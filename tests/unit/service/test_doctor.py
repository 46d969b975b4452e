import base64
import os
import socket
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from headrace import mounts
from headrace.service.doctor import findings
from headrace.service.findings import Finding
from headrace.service.serve import database_of
from headrace.settings import Settings, load_settings
from tests.support.bearers import published
from tests.support.published import publishing
from tests.support.seaweed import FULL, NARROW, Seaweed


def settings(folder: Path, environment: Mapping[str, str] | None = None, **given: str) -> Settings:
    return load_settings({"data": str(folder / "data"), "port": "0", **given}, environment or {}, folder)


def found(of: Settings, part: str) -> list[Finding]:
    return [each for each in findings(of) if each.part == part]


def test_before_the_first_start_nothing_is_wrong_and_nothing_is_made(tmp_path: Path) -> None:
    told = list(findings(settings(tmp_path)))
    assert [each for each in told if each.state == "wrong"] == []
    assert list(tmp_path.iterdir()) == []


def test_whatever_is_not_as_it_should_be_says_what_would_do(tmp_path: Path) -> None:
    for each in findings(settings(tmp_path, host="0.0.0.0")):
        assert (each.state == "ok") == (each.hint == ""), each


def test_a_secret_key_that_others_may_read_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_text("x")
    (tmp_path / "data" / "secret.key").chmod(0o644)
    (told,) = found(settings(tmp_path), "setting-invalid")
    assert (told.state, told.hint) == ("wrong", f"chmod 600 {tmp_path / 'data' / 'secret.key'}")


def test_a_database_of_another_version_is_wrong_and_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "headrace.db").touch()
    (told,) = found(settings(tmp_path), "schema-mismatch")
    assert (told.state, told.hint) == ("wrong", "make them: headrace db upgrade")


def test_the_database_tells_its_settings_and_that_nobody_serves(tmp_path: Path) -> None:
    of = settings(tmp_path)
    with database_of(of):
        pass
    assert {"journal_mode = wal", "synchronous = 2"} <= {each.told for each in found(of, "database")}
    (queue,) = found(of, "queue")
    assert queue == Finding("queue", "ok", "0 wait, 0 run, no server or worker is there")


def test_keys_without_what_encrypts_with_them_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "pyarrow":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    key = base64.b64encode(bytes(32)).decode()
    of = settings(tmp_path, {"HEADRACE_ENCRYPTION_KEYS": f"k:{key}"})
    assert Finding("package", "wrong", "pyarrow is not installed", "install headrace[encrypt]") in found(of, "package")
    assert Finding("package", "ok", "pyarrow is not installed, and not needed") in found(settings(tmp_path), "package")
    assert all(key not in each.told for each in findings(of))


def test_a_database_that_others_may_read_is_told(tmp_path: Path) -> None:
    of = settings(tmp_path)
    with database_of(of):
        pass
    assert {each.state for each in found(of, "database")} == {"ok"}
    file = tmp_path / "data" / "headrace.db"
    file.chmod(0o644)
    (told,) = [each for each in found(of, "database") if each.state != "ok"]
    assert (told.state, told.hint) == ("warn", f"chmod go= {file}*")


def test_a_data_folder_on_a_network_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = settings(tmp_path)
    with database_of(of):
        pass
    monkeypatch.setattr(mounts, "on_network", lambda path: True)
    states = {each.part: each.state for each in findings(of)}
    assert (states["data folder"], states["setting-invalid"]) == ("ok", "wrong")
    assert any("network file system" in each.told for each in found(of, "data folder"))


def test_something_else_at_the_port_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.service.surroundings._SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        (told,) = found(settings(tmp_path, port=str(other.getsockname()[1])), "port")
    assert (told.state, told.hint) == ("wrong", "end it, or set port")


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    environment = {"HEADRACE_METRICS_TOKEN": "hunter2", "HEADRACE_S3_SECRET_KEY": "hunter3"}
    told = "\n".join(map(str, findings(settings(tmp_path, environment))))
    assert "hunter" not in told
    assert "metrics_token = (set)" in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_wrong(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (told,) = found(settings(tmp_path), "data folder")
    assert told.state == "wrong"


def lake(folder: Path, host: str, keys: tuple[str, str], *buckets: str) -> Settings:
    (folder / "headrace.toml").write_text(
        f'[storages.lake]\nendpoint = "http://{host}"\naccess_key = "{keys[0]}"\nsecret_key = "{keys[1]}"\n'
        f"buckets = [{', '.join(repr(each) for each in buckets)}]\n".replace("'", '"')
    )
    return settings(folder)


def test_an_endpoint_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    (told,) = found(lake(tmp_path, "127.0.0.1:1", FULL, "lake"), "storage storages.lake")
    assert (told.state, told.told) == ("wrong", "http://127.0.0.1:1 can't be reached")


@pytest.mark.services
def test_buckets_of_object_storage_are_tried(tmp_path: Path, seaweed: Seaweed) -> None:
    told = found(lake(tmp_path, seaweed.host, FULL, "lake", "missing"), "storage storages.lake")
    assert [each.state for each in told] == ["ok", "ok", "wrong"]
    assert told[2].told.startswith("bucket missing: ")
    assert seaweed.keys("lake") == []
    told = found(lake(tmp_path, seaweed.host, (FULL[0], "wrong"), "lake"), "storage storages.lake")
    assert [each.state for each in told] == ["ok", "wrong"]
    told = found(lake(tmp_path, seaweed.host, NARROW, "lake"), "storage storages.lake")
    assert told[-1].state == "wrong"


def test_without_an_issuer_the_server_is_its_own(tmp_path: Path) -> None:
    (told,) = found(settings(tmp_path), "issuer")
    assert told.state == "ok"


def test_an_issuer_that_answers_is_told_with_its_keys_and_its_time(tmp_path: Path) -> None:
    with publishing(published()) as issuer:
        told = found(settings(tmp_path, oidc_issuer=issuer.address), "issuer")
    assert [each.state for each in told] == ["ok", "ok"]
    assert "checked with: 1" in told[0].told
    assert told[1].told.startswith("its clock is ")


def test_an_issuer_that_is_down_or_another_one_is_wrong(tmp_path: Path) -> None:
    with publishing(published()) as issuer:
        issuer.name = "https://sso.example.org"
        (other,) = found(settings(tmp_path, oidc_issuer=issuer.address), "issuer")
    (down,) = found(settings(tmp_path, oidc_issuer=issuer.address), "issuer")
    assert (other.state, down.state) == ("wrong", "wrong")
    assert "says that it is 'https://sso.example.org'" in other.told
    assert "does not answer" in down.told


def test_an_issuer_without_keys_of_use_or_with_another_time_is_wrong(tmp_path: Path) -> None:
    with publishing({"kty": "oct", "k": "c2VjcmV0", "kid": "one"}) as issuer:
        issuer.date = "Fri, 21 Mar 2025 01:02:02 GMT"
        keys, clock = found(settings(tmp_path, oidc_issuer=issuer.address), "issuer")
    assert (keys.state, clock.state) == ("wrong", "wrong")
    assert "no key that tokens can be checked with" in keys.told
    assert "NTP" in clock.hint
