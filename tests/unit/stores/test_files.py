import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.errors import StoreDenied, StoreError, StoreFull, StoreMissing
from headrace.stores.base import Early, Store, go_on_always
from headrace.stores.files import FolderStore, told
from headrace.stores.publish import snapshot
from tests.support.publishing import BUCKET, ours, place, publish, put, rows


def test_a_folder_is_a_store(store: FolderStore) -> None:
    found: Store = store
    assert found.listing(BUCKET, "").objects == ()


def test_an_object_tells_its_size_its_place_and_what_it_is(root: Path, store: FolderStore) -> None:
    path = put(root, "a/b.csv", "row\n")
    (found,) = store.listing(BUCKET, "a").objects
    status = path.stat()
    assert (found.bucket, found.key, found.size, found.location) == (BUCKET, "a/b.csv", 4, str(path))
    assert found.etag == f"{status.st_mtime_ns:x}-4-{status.st_ino:x}"


def test_a_missing_bucket_is_named_beside_those_that_are_there(root: Path, store: FolderStore) -> None:
    (root / "other").mkdir()
    (root / ".headrace").mkdir()
    with pytest.raises(StoreMissing, match=r"there is no bucket 'lakes'; there are: lake, other$"):
        store.listing("lakes", "a")
    with pytest.raises(StoreMissing, match="lakes"), store.claim([("lakes", "a")], run="run1", wait=0):
        pass
    assert not (root / "lakes").exists()


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        FolderStore(tmp_path / "nothing").listing(BUCKET, "a")


def test_reading_makes_nothing(root: Path, store: FolderStore) -> None:
    put(root, "a/b.csv", "row\n")
    before = sorted(root.rglob("*"))
    rows(store, "a")
    with pytest.raises(StoreMissing):
        rows(store, "b")
    assert sorted(root.rglob("*")) == before


Primitive = Callable[[FolderStore, str], object]
PRIMITIVES: dict[str, Primitive] = {
    "listing": lambda store, key: store.listing(BUCKET, key),
    "read": lambda store, key: store.read(BUCKET, key),
    "write": lambda store, key: store.write(BUCKET, key, b"x"),
    "move from": lambda store, key: store.move(BUCKET, [(key, "here.csv")]),
    "move to": lambda store, key: store.move(BUCKET, [("own.csv", key)]),
    "remove": lambda store, key: store.remove(BUCKET, [key], within=""),
    "stage": lambda store, key: store.stage(BUCKET, key),
    "flush": lambda store, key: store.flush(BUCKET, key),
    "discard": lambda store, key: store.discard(BUCKET, key),
}


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=PRIMITIVES)
@pytest.mark.parametrize("key", ["../../secret.csv", "..", "/etc/passwd", "out", "out/secret.csv", "leak.csv", "loop"])
def test_no_primitive_leaves_the_bucket(primitive: Primitive, key: str, root: Path, store: FolderStore) -> None:
    put(root, "own.csv", "own\n")
    (root / BUCKET / "out").symlink_to(root.parent)
    (root / BUCKET / "leak.csv").symlink_to(root.parent / "secret.csv")
    (root / BUCKET / "loop").symlink_to("loop")
    with pytest.raises(StoreDenied):
        primitive(store, key)
    assert (root.parent / "secret.csv").read_text() == "secret\n"
    assert (root / BUCKET / "own.csv").read_text() == "own\n"


@pytest.mark.parametrize("target", ["../../../secret.csv", "../../other/x.csv", "../folder", "link.csv"])
def test_a_link_that_is_met_while_listing_may_stand_only_for_a_file_of_the_bucket(
    target: str, root: Path, store: FolderStore
) -> None:
    put(root, "x.csv", "other\n", bucket="other")
    put(root, "folder/x.csv", "x\n")
    put(root, "data/own.csv", "own\n")
    (root / BUCKET / "data/link.csv").symlink_to(target)
    with pytest.raises(StoreDenied, match=r"'lake/data/link.csv' is a symbolic link") as caught:
        store.listing(BUCKET, "data")
    assert "secret" not in str(caught.value)


def test_a_link_to_a_file_of_the_bucket_reads_as_that_file(root: Path, store: FolderStore) -> None:
    put(root, "a/b.csv", "row\n")
    (root / BUCKET / "c").mkdir()
    (root / BUCKET / "c/link.csv").symlink_to("../a/b.csv")
    assert rows(store, "c") == ["row"]
    assert rows(store, "c/link.csv") == ["row"]


def test_a_link_and_the_file_that_it_stands_for_can_be_overwritten_together(root: Path, store: FolderStore) -> None:
    put(root, "c/a.csv", "row\n")
    (root / BUCKET / "c/link.csv").symlink_to("a.csv")
    assert rows(store, "c") == ["row", "row"]
    assert publish(store, "c", "OVERWRITE", ["new\n"], run="run1").removed == 2
    assert [path.name for path in (root / BUCKET / "c").iterdir()] == ["part-00000-run1.csv"]


def test_a_link_to_nothing_is_no_object(root: Path, store: FolderStore) -> None:
    (root / BUCKET / "link.csv").symlink_to("nothing.csv")
    assert store.listing(BUCKET, "").objects == ()
    assert store.read(BUCKET, "link.csv") is None


def test_a_bucket_is_no_symbolic_link(root: Path, store: FolderStore) -> None:
    (root / "outside").symlink_to(root.parent)
    (root / "alias").symlink_to(root / BUCKET)
    for bucket in ("outside", "alias"):
        with pytest.raises(StoreDenied, match="symbolic link"):
            store.listing(bucket, "")


def test_the_root_may_be_reached_by_a_link(root: Path) -> None:
    put(root, "a.csv", "row\n")
    (root.parent / "link").symlink_to(root)
    assert rows(FolderStore(root.parent / "link"), "a.csv") == ["row"]


def test_what_is_neither_file_nor_folder_is_refused(root: Path, store: FolderStore) -> None:
    os.mkfifo(root / BUCKET / "pipe")
    with pytest.raises(StoreDenied, match="'lake/pipe' is not a file"):
        store.listing(BUCKET, "")


def test_a_listed_name_that_could_not_be_removed_later_is_refused(root: Path, store: FolderStore) -> None:
    put(root, "a/two\nlines.csv", "row\n")
    with pytest.raises(StoreDenied, match="control character"):
        store.listing(BUCKET, "a")


def test_a_folder_below_a_file_holds_nothing_and_can_not_be_made(root: Path, store: FolderStore) -> None:
    put(root, "a", "row\n")
    with pytest.raises(StoreMissing):
        snapshot(store, place("a/b"))
    with pytest.raises(StoreDenied, match="an object lies where a folder must be"):
        store.stage(BUCKET, "a/b/_headrace/x")


def test_a_write_is_whole_and_leaves_nothing_beside_it(root: Path, store: FolderStore) -> None:
    store.write(BUCKET, "a/b.json", b"one")
    store.write(BUCKET, "a/b.json", b"two")
    assert store.read(BUCKET, "a/b.json") == b"two"
    assert [path.name for path in (root / BUCKET / "a").iterdir()] == ["b.json"]
    assert store.read(BUCKET, "a/c.json") is None


def test_removing_takes_empty_folders_along_but_not_the_one_it_is_within(root: Path, store: FolderStore) -> None:
    for key in ("p/x.csv", "p/a/b/y.csv", "p/c/z.csv", "p/c/stays.csv"):
        put(root, key, "row\n")
    gone = ["p/x.csv", "p/a/b/y.csv", "p/c/z.csv", "p/never/was.csv"]
    for _ in range(2):
        store.remove(BUCKET, gone, within="p")
        assert sorted(str(path.relative_to(root)) for path in (root / BUCKET).rglob("*")) == [
            "lake/p",
            "lake/p/c",
            "lake/p/c/stays.csv",
        ]
    store.remove(BUCKET, ["p/c/stays.csv"], within="p")
    assert list((root / BUCKET / "p").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EACCES, StoreDenied),
        (errno.EPERM, StoreDenied),
        (errno.EROFS, StoreDenied),
        (errno.ENOENT, StoreMissing),
        (errno.EIO, StoreError),
    ],
)
def test_what_the_system_refuses_is_told_in_the_names_of_the_store(number: int, kind: type[StoreError]) -> None:
    with pytest.raises(StoreError, match=r"^'lake/a/b.csv': ") as caught, told("lake/a/b.csv"):
        raise OSError(number, os.strerror(number), "/srv/outside/lake/a/b.csv")
    assert type(caught.value) is kind
    assert "/srv" not in str(caught.value)


class FullDisk(FolderStore):
    """A store whose disk is full when the engine's files are flushed."""

    def flush(self, bucket: str, folder: str, go_on: Callable[[], None] = go_on_always) -> None:
        with told(f"{bucket}/{folder}"):
            raise OSError(errno.ENOSPC, "full")


class ReadOnly(FolderStore):
    """A store in which we may not write."""

    def stage(self, bucket: str, folder: str, early: Early | None = None) -> str:
        with told(f"{bucket}/{folder}"):
            raise OSError(errno.EROFS, "read only")


@pytest.mark.parametrize(("kind", "error"), [(FullDisk, StoreFull), (ReadOnly, StoreDenied)])
def test_a_store_that_can_not_be_written_keeps_the_old_data(
    kind: type[FolderStore], error: type[StoreError], root: Path
) -> None:
    put(root, "out/old.csv", "old\n")
    store = kind(root)
    with pytest.raises(error):
        publish(store, "out", "OVERWRITE", ["new\n"], run="run1")
    assert rows(store, "out") == ["old"]
    assert ours(root) == []


def test_what_settles_meanwhile_ends_with_the_flush(tmp_path: Path) -> None:
    (tmp_path / BUCKET).mkdir()
    store = FolderStore(tmp_path)
    before = set(threading.enumerate())
    store.stage(BUCKET, "out/_headrace/run-1")
    (begun,) = set(threading.enumerate()) - before
    store.flush(BUCKET, "out/_headrace/run-1")
    assert begun.name == "settling"
    assert not begun.is_alive()


def test_a_bucket_is_made_once(root: Path, store: FolderStore) -> None:
    for _ in range(2):
        store.make("new-bucket")
    store.write("new-bucket", "a/b.txt", b"x")
    assert (root / "new-bucket/a/b.txt").read_bytes() == b"x"
    with pytest.raises(StoreDenied):
        store.make("../outside")
