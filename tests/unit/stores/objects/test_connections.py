"""Ways to reach object storage: TLS with an authority of one's own, the bucket in the host's name, session tokens."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headrace.errors import StoreDenied
from headrace.stores.access import Access
from headrace.stores.objects import ObjectStore
from headrace.stores.objects.client import Patience
from tests.support.proxy import Proxy, proxied
from tests.support.publishing import BUCKET, publish, rows
from tests.support.seaweed import DOMAIN, Seaweed

pytestmark = pytest.mark.services

NAMES = ["a b.csv", "100%25.csv", "a+b.csv", "한글.csv"]


def store(access: Access, scratch: Path) -> ObjectStore:
    return ObjectStore(lambda bucket: access, scratch=scratch, patience=Patience(attempts=1))


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[Proxy]:
    with proxied(seaweed.host) as running:
        yield running


def test_tls_with_an_own_authority(seaweed: Seaweed, tmp_path: Path) -> None:
    found = store(seaweed.secure_access(), tmp_path)
    publish(found, "out", "OVERWRITE", ["1\n"], run="run1")
    assert rows(found, "out") == ["1"]


def test_a_certificate_of_somebody_unknown_is_refused(seaweed: Seaweed, tmp_path: Path) -> None:
    with pytest.raises(StoreDenied, match=r"'lake/a': no secure connection; look at .* s3_ca_bundle"):
        store(replace(seaweed.secure_access(), ca_bundle=""), tmp_path).listing(BUCKET, "a")


def test_the_bucket_may_stand_in_the_name_of_the_host(
    seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    resolve = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **more: Any) -> Any:
        asked.append(host)
        return resolve("127.0.0.1" if str(host).endswith(DOMAIN) else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    found = store(seaweed.virtual_access(), tmp_path)
    publish(found, "out", "OVERWRITE", ["1\n"], run="run1")
    for name in NAMES:
        seaweed.put(BUCKET, f"in/{name}", b"row\n")
    assert rows(found, "out") == ["1"]
    assert rows(found, "in") == ["row"] * len(NAMES)
    assert {host for host in asked if str(host).endswith(DOMAIN)} == {f"{BUCKET}.{DOMAIN}"}


def test_a_session_token_is_sent_and_signed(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    """Whether it holds is the server's to say: that of the tests knows none."""
    access = replace(seaweed.access(), host=proxy.host, session_token="temporary/token")
    with pytest.raises(StoreDenied) as caught:
        store(access, tmp_path).listing(BUCKET, "a")
    assert "temporary/token" not in f"{caught.value} {access!r}"
    assert proxy.heads
    for head in proxy.heads:
        (signed,) = [line for line in head.lower().splitlines() if "signedheaders=" in line]
        assert "\nx-amz-security-token: temporary/token" in head.lower()
        assert "x-amz-security-token" in signed
