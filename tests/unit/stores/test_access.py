from pathlib import Path

import pytest

from headrace.errors import SettingInvalid, StoreDenied, StoreMissing
from headrace.settings import load_settings
from headrace.stores.access import Access, Storages, job_access, storages

FILE = """
s3_endpoint = "https://s3.example.org"
s3_access_key = "own"
s3_secret_key = "secret"

[storages.raw]
endpoint = "10.0.0.1:9000"
access_key = "raw"
secret_key = "hidden"
tls = false
url_style = "virtual"
buckets = ["raw", "older"]

[storages.role]
endpoint = "role.example.org"
nrn = "nrn:PUB:IAM::1:Role/x"

[storages.second]
endpoint = "second.example.org"
region = "kr2"
region_no = [2, 3]
"""


def known(folder: Path, text: str = FILE) -> Storages:
    (folder / "headrace.toml").write_text(text)
    return storages(load_settings({}, {}, folder))


def test_a_bucket_is_reached_by_its_own_name_then_by_nrn_then_by_region(tmp_path: Path) -> None:
    found = known(tmp_path)
    assert found.of("raw", region="2", nrn="nrn:PUB:IAM::1:Role/x") == Access(
        "10.0.0.1:9000", False, "us-east-1", "virtual", "", "raw", "hidden"
    )
    assert found.of("lake", region="2", nrn="nrn:PUB:IAM::1:Role/x").host == "role.example.org"
    assert found.of("lake", region="2") == Access("second.example.org", True, "kr2", "path")
    assert found.of("lake", region="1") == Access("s3.example.org", True, "us-east-1", "path", "", "own", "secret")
    assert found.of("lake", region="1").url == "https://s3.example.org"


def test_a_bucket_without_a_storage_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    found = known(tmp_path, '[storages.raw]\nendpoint = "x"\nbuckets = "raw"')
    with pytest.raises(StoreMissing, match=r"no storage is set for bucket 'lake' in region 1; there are: storages.raw"):
        found.of("lake", region="1")


def test_one_bucket_does_not_mean_two_storages_in_one_job(tmp_path: Path) -> None:
    found = known(tmp_path)
    assert job_access(found, [("lake", "2"), ("raw", "1"), ("raw", "2")], nrn="")("lake").host == "second.example.org"
    with pytest.raises(StoreMissing, match="bucket 'lake' lies in two storages, by regions 1 and 2"):
        job_access(found, [("lake", "1"), ("lake", "2")], nrn="")


def test_once_an_nrn_has_credentials_a_job_with_another_one_gets_none(tmp_path: Path) -> None:
    found = known(tmp_path)
    assert job_access(found, [], nrn="nrn:PUB:IAM::1:Role/x")("lake").host == "role.example.org"
    assert job_access(found, [], nrn="")("lake").host == "s3.example.org"
    with pytest.raises(StoreDenied, match="no storage is set for nrn:other"):
        job_access(found, [], nrn="nrn:other")
    none = known(tmp_path, 's3_endpoint = "x"')
    assert job_access(none, [], nrn="nrn:other")("lake").host == "x"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[storages.a]\nendpoint = "x"', "storages.a is used for nothing"),
        ('[storages.a]\nbuckets = "x"', "has no endpoint"),
        ('[storages.a]\nendpoint = "x"\nbuckets = "b"\naccess_key = "k"', "one of access key and secret key"),
        ('[storages.a]\nendpoint = "x"\nbuckets = "b"\n[storages.b]\nendpoint = "x"\nbuckets = "b"', "'b' stands in"),
        ('[storages."A B"]\nendpoint = "x"', "can't be the name"),
        ('[storages.a]\nendpoint = "ftp://x"\nbuckets = "b"', "a host with or without port"),
        ('[storages.a]\nendpoint = "x"\nbucket = "b"', "did you mean storages.a.buckets"),
        ("[storages.a]\nendpoint = ['x']", "has to be one value"),
        ("storages = 1", "has to be tables"),
        ("[s3]\nx = 1", "s3 has to be one value"),
    ],
)
def test_what_can_not_be_meant_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=told):
        known(tmp_path, text)


def test_without_any_endpoint_there_is_no_storage(tmp_path: Path) -> None:
    assert known(tmp_path, "threads = 1").known == ()


def test_keys_are_not_shown(tmp_path: Path) -> None:
    assert "hidden" not in repr(known(tmp_path))
