"""Object storage: objects have names; there are no folders, no renames and no locks.

A rename is a copy on the server and a removal; large new files need none, since their parts are sent for their final
names, and become objects right before the commit. A claim is an owner record with a heartbeat (`leases`). Engines write
into a local folder, which `flush` uploads; they never get to write to the store themselves.
"""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from headrace.clock import Clock, SystemClock
from headrace.errors import SourceChanged, StoreError, StoreFull
from headrace.stores.access import Access
from headrace.stores.base import Early, Listing, StoredObject, go_on_always
from headrace.stores.names import OURS, check_bucket, check_key, is_hidden, within
from headrace.stores.objects import leases
from headrace.stores.objects.client import AT_ONCE, PATIENT, Client, Patience, Sizes, moment
from headrace.stores.objects.leases import OWNER, Claim, Found, Taken
from headrace.stores.objects.ranges import Ranges
from headrace.stores.objects.uploads import Uploads

_CLOCK = SystemClock()
_SIZES = Sizes()


class ObjectStore:
    """Objects of the buckets that `access` tells how to reach.

    What engines write lies in `scratch` until it is uploaded. `lease` is for how many seconds a claim holds without a
    sign of life.
    """

    def __init__(
        self,
        access: Callable[[str], Access],
        *,
        scratch: str | Path | None = None,
        lease: float = leases.LEASE,
        patience: Patience = PATIENT,
        sizes: Sizes = _SIZES,
        clock: Clock = _CLOCK,
    ) -> None:
        self._client = Client(access, patience, sizes)
        self._readers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ranges")
        self._scratch = scratch
        self._lease = lease
        self._clock = clock
        self._claims: list[Claim] = []
        self._staged: dict[tuple[str, str], Uploads] = {}
        self._conditional: dict[Access, bool] = {}

    def access(self, bucket: str) -> Access:
        """What an engine needs to read objects of the bucket."""
        return self._client.access(bucket)

    def make(self, bucket: str) -> None:
        """Make a bucket; one that is there is passed over."""
        self._client.make(bucket)

    def listing(self, bucket: str, prefix: str) -> Listing:
        """The object of exactly this name, or all data under `prefix/`; nothing there is no error.

        Object storage does not tell of a name that came and went. One that went and came again, with equal bytes even,
        is younger, which `mark` tells.
        """
        own = self._exactly(bucket, prefix)
        if own is not None:
            return Listing((own,), (), "")
        objects, ours, ages = [], set(), []
        for raw in self._client.pages(bucket, prefix):
            key, size = str(raw["Key"]), int(raw["Size"])
            parts = key[len(prefix) + 1 if prefix else 0 :].split("/")
            ours.update(_ours(prefix, parts))
            if any(map(is_hidden, parts)) or (key.endswith("/") and not size):
                continue  # hidden, or what some tools put in place of an empty folder
            # A name that no primitive would take again must not come into a listing: its removal could never be done.
            check_key(key)
            objects.append(self._object(bucket, key, size, str(raw["ETag"])))
            ages.append(raw["LastModified"])
        objects.sort(key=lambda found: found.key)
        return Listing(tuple(objects), tuple(sorted(ours)), str(hash(tuple(ages))))

    def read(self, bucket: str, key: str) -> bytes | None:
        """A small object's bytes, or None when it is not there."""
        check_key(key)
        answer = self._client.get(bucket, key)
        return None if answer is None else answer[0]

    def open(self, found: StoredObject, go_on: Callable[[], None] = go_on_always) -> BinaryIO:
        """An object's bytes, from its first one. `go_on` is called while they are waited for, and may raise."""
        return io.BufferedReader(Ranges(self._client, self._readers, found, go_on))

    def write(self, bucket: str, key: str, data: bytes) -> None:
        """Write a small object: whole or not at all. Under a claim, only after that was renewed once more."""
        check_key(key)
        for claim in self._covering(bucket, key):
            claim.renew()
        self._client.put(bucket, key, data)

    def move(self, bucket: str, moves: Sequence[tuple[str, str]]) -> None:
        """Give objects other names: copies of all first, then the removals. One that is not there is passed over."""
        for source, target in moves:
            check_key(source)
            check_key(target)
        for folder in {target.rpartition("/")[0] for _, target in moves}:
            # What a dead run left of the same copies: the commit record says that these names are ours.
            self._abort(bucket, folder, {target for _, target in moves}.__contains__)
        with ThreadPoolExecutor(min(AT_ONCE, len(moves) or 1)) as pool:
            list(pool.map(lambda names: self._copied(bucket, *names), moves))
        self._drop(bucket, [source for source, _ in moves])

    def remove(self, bucket: str, keys: Sequence[str], *, within: str) -> None:
        """Remove objects; missing ones are passed over. There are no folders that could stay behind."""
        del within
        for key in keys:
            check_key(key)
        self._drop(bucket, keys)

    def stage(self, bucket: str, folder: str, early: Early | None = None) -> str:
        """A local folder for the files of an engine; large ones are uploaded while they grow."""
        check_bucket(bucket)
        check_key(folder)
        try:
            if self._scratch is not None:
                Path(self._scratch).mkdir(parents=True, exist_ok=True)
            path = Path(tempfile.mkdtemp(prefix="headrace-staged-", dir=self._scratch))
        except OSError as error:
            hint = "let this user write there, make room, or set temp_directory"
            raise StoreFull(f"the folder for staged files: {error.strerror}", hint=hint) from error
        check = partial(self._check, bucket)
        uploads = Uploads(self._client, path, bucket=bucket, folder=folder, check=check, early=early)
        self._staged[bucket, folder] = uploads
        return str(path)

    def flush(self, bucket: str, folder: str, go_on: Callable[[], None] = go_on_always) -> None:
        """Upload what was written into the local folder of `folder`, and look that all of it came over."""
        uploads = self._staged.get((bucket, folder))
        if uploads is None:
            return
        sizes = uploads.finish(go_on)
        there = {str(raw["Key"]): int(raw["Size"]) for raw in self._client.pages(bucket, folder)} if sizes else {}
        for key, size in sizes.items():
            _look_over(bucket, key, size, there.get(key))
        if not uploads.waiting:
            self._forget(bucket, folder)

    def arrive(self, bucket: str, folder: str) -> Sequence[StoredObject]:
        """Make objects of the parts that `flush` sent for final names, and look that all of them are there."""
        uploads = self._staged.get((bucket, folder))
        if uploads is None:
            return ()
        waiting = uploads.waiting
        for key in waiting:
            self._check(bucket, key)
        uploads.arrive()
        found = [self._exactly(bucket, key) for key in waiting]
        for (key, size), each in zip(waiting.items(), found, strict=True):
            _look_over(bucket, key, size, each.size if each else None)
        self._forget(bucket, folder)
        return [each for each in found if each is not None]

    def abandon(self, bucket: str, folder: str, is_ours: Callable[[str], bool]) -> None:
        """End the uploads in parts to the keys of `folder` that are ours."""
        check_key(folder)
        self._check(bucket, folder)
        self._forget(bucket, folder)
        self._abort(bucket, folder, is_ours)

    def discard(self, bucket: str, folder: str) -> None:
        """Remove `folder` with everything in it, uploads that were never finished included."""
        check_key(folder)
        self._check(bucket, folder)
        self._forget(bucket, folder)
        self._abort(bucket, folder, lambda _: True)
        self._drop(bucket, [str(raw["Key"]) for raw in self._client.pages(bucket, folder)])

    def claim(self, folders: Sequence[tuple[str, str]], *, run: str, wait: float) -> AbstractContextManager[None]:
        """Be the only writer of these (bucket, folder) pairs, and of all above and below them."""
        for bucket, folder in folders:
            check_bucket(bucket)
            if folder:
                check_key(folder)
        return self._claimed(folders, run=run, wait=wait)

    @contextmanager
    def _claimed(self, folders: Sequence[tuple[str, str]], *, run: str, wait: float) -> Iterator[None]:
        with leases.held(self, folders, run=run, wait=wait, clock=self._clock, lease=self._lease) as claims:
            self._claims.extend(claims)
            try:
                for bucket, folder in folders:
                    # Nobody else lives here, so an upload into a staging folder is a dead run's.
                    self._abort(bucket, folder, lambda key: OURS in key.split("/"))
                yield
            finally:
                for bucket, folder in folders:
                    self._forget(bucket, folder)
                for claim in claims:
                    self._claims.remove(claim)

    # What claims need: see `leases.Board`.

    def get(self, bucket: str, key: str) -> Found | None:
        """An owner record and its age by the server's clock."""
        answer = self._client.get(bucket, key, kind="heartbeat")
        if answer is None:
            return None
        data, told = answer
        age = ((moment(told) or self._clock.now()) - told["LastModified"]).total_seconds()
        return Found(data, str(told["ETag"]), age)

    def put(self, bucket: str, key: str, data: bytes, *, match: str | None) -> str:
        """Write an owner record if what is there is what is expected."""
        condition = {"IfNoneMatch": "*"} if match is None else {"IfMatch": match}
        try:
            with self._client.told(bucket, key, "heartbeat") as client:
                return str(client.put_object(Bucket=bucket, Key=key, Body=data, **condition)["ETag"])
        except SourceChanged as error:
            # The answer may have been lost, and the request sent again: then what is there is what we wrote.
            there = self.get(bucket, key)
            if there is None or there.data != data:
                raise Taken from error
            return there.etag

    def drop(self, bucket: str, key: str, *, match: str) -> None:
        """Remove an owner record if it is the one that is expected."""
        try:
            with self._client.told(bucket, key, "heartbeat") as client:
                client.delete_object(Bucket=bucket, Key=key, IfMatch=match)
        except SourceChanged as error:
            if self.get(bucket, key) is not None:
                raise Taken from error

    def conditional(self, bucket: str, key: str) -> bool:
        """Whether the server refuses to write over a record that is there. It is asked once."""
        access = self.access(bucket)
        if access not in self._conditional:
            try:
                # Other bytes than those that are there: equal ones would look like our own answer that was lost.
                self.put(bucket, key, b"", match=None)
            except Taken:
                self._conditional[access] = True
            else:
                self._conditional[access] = False
        return self._conditional[access]

    def owners(self, bucket: str, folder: str) -> Sequence[str]:
        """The owner records below a folder."""
        names = (str(raw["Key"]) for raw in self._client.pages(bucket, folder))
        return [key for key in names if key.rpartition("/")[2] == OWNER]

    def _object(self, bucket: str, key: str, size: int, etag: str) -> StoredObject:
        return StoredObject(bucket, key, size, etag.strip('"'), f"s3://{bucket}/{key}", self)

    def _exactly(self, bucket: str, key: str) -> StoredObject | None:
        check_bucket(bucket)
        if not key:
            return None
        check_key(key)
        head = self._client.head(bucket, key)
        return None if head is None else self._object(bucket, key, *head)

    def _copied(self, bucket: str, source: str, target: str) -> None:
        self._check(bucket, target)
        found = self._exactly(bucket, source)
        if found is None:
            return
        try:
            self._client.copy(found, target)
        except SourceChanged:
            if self._exactly(bucket, source) is not None:
                raise

    def _drop(self, bucket: str, keys: Sequence[str]) -> None:
        for claim in {id(claim): claim for key in keys for claim in self._covering(bucket, key)}.values():
            claim.check()
        self._client.drop(bucket, keys)

    def _abort(self, bucket: str, folder: str, is_ours: Callable[[str], bool]) -> None:
        self._client.abort(bucket, f"{folder}/" if folder else "", is_ours)

    def _forget(self, bucket: str, folder: str) -> None:
        """Remove the local folders whose files were uploaded, or are not wanted any more."""
        for of, staged in list(self._staged):
            if of == bucket and within(staged, folder):
                uploads = self._staged.pop((of, staged))
                uploads.stop()
                shutil.rmtree(uploads.local, ignore_errors=True)

    def _covering(self, bucket: str, key: str) -> list[Claim]:
        return [claim for claim in self._claims if claim.covers(bucket, key)]

    def _check(self, bucket: str, key: str) -> None:
        for claim in self._covering(bucket, key):
            claim.check()


def _look_over(bucket: str, key: str, size: int, there: int | None) -> None:
    if there != size:
        raise StoreError(f"'{bucket}/{key}' is not there as it was uploaded", hint="run again")


def _ours(prefix: str, parts: Sequence[str]) -> list[str]:
    """The folder that holds the `_headrace` in which an object lies, if it lies in one and the folder is data."""
    if OURS not in parts[:-1]:
        return []
    above = parts[: parts.index(OURS)]
    folder = "/".join((*([prefix] if prefix else []), *above))
    return [folder] if folder and not any(map(is_hidden, above)) else []
