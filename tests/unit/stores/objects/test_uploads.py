from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.errors import Cancelled, StoreBusy, StoreError
from headrace.stores.base import go_on_always
from headrace.stores.objects.client import Client, Patience, Sizes
from headrace.stores.objects.uploads import Uploads
from tests.support.command import wait_until
from tests.support.proxy import Proxy, proxied
from tests.support.publishing import BUCKET
from tests.support.seaweed import Seaweed

pytestmark = pytest.mark.services

MIB = 1 << 20
PART = 5 * MIB
BLOCK = bytes(range(256)) * (MIB // 256)


@pytest.fixture
def proxy(seaweed: Seaweed) -> Iterator[Proxy]:
    with proxied(seaweed.host) as running:
        yield running


def uploads(seaweed: Seaweed, proxy: Proxy, local: Path, check: Callable[[str], None] = lambda key: None) -> Uploads:
    access = seaweed.access()
    behind = type(access)(proxy.host, False, access.region, "path", "", access.access_key, access.secret_key)
    sizes = Sizes(upload_whole=PART, upload_part=PART)
    client = Client(lambda bucket: behind, Patience(attempts=2, answer=5), sizes)
    local.mkdir(exist_ok=True)
    return Uploads(client, local, bucket=BUCKET, folder="out", check=check)


def saw(proxy: Proxy, text: str) -> Callable[[], bool]:
    return lambda: any(text in line for line in proxy.seen)


def test_parts_are_sent_while_the_file_grows(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    with (tmp_path / "s/x.csv").open("wb") as file:
        for number in (1, 2):
            file.write(BLOCK * 5)
            file.flush()
            wait_until(saw(proxy, f"partNumber={number}"))
        assert seaweed.keys(BUCKET) == []
        file.write(BLOCK)
    assert going.finish(go_on_always) == {"out/x.csv": 11 * MIB}
    assert seaweed.data(BUCKET, "out/x.csv") == BLOCK * 11
    assert seaweed.uploads(BUCKET) == []


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
def test_a_file_of_any_size_comes_whole(size: int, seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    data = (BLOCK * 11)[:size]
    (tmp_path / "s/sub").mkdir()
    (tmp_path / "s/sub/x.csv").write_bytes(data)
    assert going.finish(go_on_always) == {"out/sub/x.csv": size}
    assert seaweed.data(BUCKET, "out/sub/x.csv") == data
    assert seaweed.uploads(BUCKET) == []


def test_no_server_is_left_to_guess_a_type_from_the_bytes(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    (tmp_path / "s/large.csv").write_bytes(BLOCK * 11)
    (tmp_path / "s/small.csv").write_bytes(b"id\n1\n")
    going.finish(go_on_always)
    for sent in ("partNumber=3", "POST /lake/out/large.csv?uploads", "PUT /lake/out/small.csv"):
        (head,) = (head for head in proxy.heads if sent in head)
        assert "content-type: binary/octet-stream" in head.lower(), sent


def test_a_file_that_is_written_anew_is_sent_anew(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    (tmp_path / "s/x.csv").write_bytes(BLOCK * 6)
    wait_until(saw(proxy, "partNumber=1"))
    (tmp_path / "s/x.csv").unlink()
    (tmp_path / "s/x.csv").write_bytes(b"other " * MIB)
    assert going.finish(go_on_always) == {"out/x.csv": 6 * MIB}
    assert seaweed.data(BUCKET, "out/x.csv") == b"other " * MIB
    assert seaweed.uploads(BUCKET) == []


def test_a_file_that_went_is_not_sent(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    (tmp_path / "s/x.csv").write_bytes(BLOCK * 6)
    wait_until(saw(proxy, "partNumber=1"))
    (tmp_path / "s/x.csv").unlink()
    assert going.finish(go_on_always) == {}
    assert (seaweed.keys(BUCKET), seaweed.uploads(BUCKET)) == ([], [])


def test_a_part_that_can_not_be_sent_is_told(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    going = uploads(seaweed, proxy, tmp_path / "s")
    proxy.rule("busy", "PUT", "partNumber=2")
    (tmp_path / "s/x.csv").write_bytes(BLOCK * 11)
    with pytest.raises(StoreError, match=r"'lake/out/x.csv': the endpoint a"):
        going.finish(go_on_always)
    going.stop()
    assert (seaweed.keys(BUCKET), seaweed.uploads(BUCKET)) == ([], [])


def test_a_claim_that_is_lost_stops_what_is_sent_early(seaweed: Seaweed, proxy: Proxy, tmp_path: Path) -> None:
    def lost(key: str) -> None:
        raise StoreBusy(f"no claim on {key}")

    going = uploads(seaweed, proxy, tmp_path / "s", lost)
    (tmp_path / "s/x.csv").write_bytes(BLOCK * 6)
    with pytest.raises(StoreBusy, match=r"out/x.csv"):
        going.finish(go_on_always)
    going.stop()
    assert proxy.seen == []


@pytest.mark.parametrize(("size", "path"), [(4 * MIB, "out/x.csv"), (20 * MIB, "partNumber=2")])
def test_a_stop_ends_what_is_on_its_way_and_leaves_nothing(
    size: int, path: str, seaweed: Seaweed, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.rule("slow", "PUT")
    going = uploads(seaweed, proxy, tmp_path / "s")
    (tmp_path / "s/x.csv").write_bytes((BLOCK * 20)[:size])

    def stop_once_it_goes() -> None:
        if saw(proxy, path)():
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        going.finish(stop_once_it_goes)
    going.stop()
    wait_until(lambda: proxy.cut_off > 0)
    assert (seaweed.keys(BUCKET), seaweed.uploads(BUCKET)) == ([], [])
