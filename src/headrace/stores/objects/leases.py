"""Claims on prefixes of object storage, which knows no locks: owner records with a heartbeat.

Who wants to write under a prefix puts an owner record there and renews it as long as it lives. Then it looks for live
records above and below: since everybody puts first and looks afterwards, two that contain one another never both go
on. A record is dead when it is older than its lease by the server's own clock, or when it names a process of this
very machine that is gone. A dead record is taken away before anything else is done, so that a holder who was only
asleep finds that it lost its claim.

Where the server keeps conditions of writes (`If-None-Match`, `If-Match`), no two can take one record. Where it does
not, a record counts after it has stood for a moment.
"""

import hashlib
import json
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from headrace.clock import Clock
from headrace.errors import StoreBusy, StoreError
from headrace.stores.names import ancestors, join, within

OWNER = "_headrace_owner.json"
"""The owner record's name in its folder. It begins with `_`: no data, and not among what a publication tidies up."""

LEASE = 30.0
SETTLE = 2.0
_VERSION = 1
_GRACE = 2.0  # the server's two moments are whole seconds
_MOST_LEASE = 600.0
_POLL = 0.3

Folder = tuple[str, str]


class Taken(Exception):
    """The record is not, or no longer, the one that was meant."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stored record: its bytes, its etag, and how many seconds ago it was written, by the server's clock."""

    data: bytes
    etag: str
    age: float


class Board(Protocol):
    """What claims need of a store. `match` is the etag that must be there, or None where nothing may be there."""

    def get(self, bucket: str, key: str) -> Found | None:
        """The record, or None."""

    def put(self, bucket: str, key: str, data: bytes, *, match: str | None) -> str:
        """Write the record and give its etag. Raises Taken."""

    def drop(self, bucket: str, key: str, *, match: str) -> None:
        """Remove the record. Raises Taken; one that is gone is passed over."""

    def conditional(self, bucket: str, key: str) -> bool:
        """Whether the server keeps conditions; asked of a record that is there."""

    def owners(self, bucket: str, folder: str) -> Sequence[str]:
        """The keys of all owner records below the folder, its own one included."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a claim: `machine`, `pid` and `started` name a process for others of the same machine."""

    run: str
    host: str
    machine: str
    pid: int
    started: int
    since: str
    lease: float
    token: str
    beat: int = 0
    version: int = _VERSION

    def __str__(self) -> str:
        return f"run {self.run} (process {self.pid} on {self.host}, since {self.since})"


def this_process(*, run: str, clock: Clock, lease: float) -> Owner:
    """This process as an owner, with a token that no other claim has."""
    return Owner(
        run=run,
        host=os.uname().nodename,
        machine=_machine(),
        pid=os.getpid(),
        started=_started(os.getpid()) or 0,
        since=f"{clock.now():%FT%TZ}",
        lease=lease,
        token=secrets.token_hex(16),
    )


def is_dead(owner: Owner | None, age: float) -> bool:
    """Whether nobody stands behind a record any more. One that can't be read dies of age as well."""
    lease = min(max(owner.lease, 0.0), _MOST_LEASE) if owner else LEASE
    if age > lease + _GRACE:
        return True
    return owner is not None and owner.machine == _machine() and _started(owner.pid) != owner.started


def parse(data: bytes) -> Owner | None:
    """The owner that a record tells of, or None when it is none of this version."""
    try:
        raw = json.loads(data)
        owner = Owner(**raw)
        whole = all(isinstance(getattr(owner, name), int) for name in ("pid", "started", "beat"))
        texts = all(isinstance(getattr(owner, name), str) for name in ("run", "host", "machine", "since", "token"))
        known = whole and texts and isinstance(raw["lease"], int | float) and owner.version == _VERSION
    except (ValueError, TypeError):
        return None
    return owner if known else None


def dump(owner: Owner) -> bytes:
    """The record as it is stored."""
    return json.dumps(asdict(owner)).encode()


def _machine() -> str:
    """This kernel since its start, and the space in which its process numbers mean something. Empty when unknown."""
    try:
        parts = Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")
    except OSError:
        return secrets.token_hex(8)
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _started(pid: int) -> int | None:
    """When a process began, in ticks since the machine did; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass
class Claim:
    """A claim that is held: renewed by a thread until it is closed or lost."""

    board: Board
    folder: Folder
    owner: Owner
    etag: str
    renewed: float
    conditional: bool
    clock: Clock
    lost: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> str:
        """Where its record lies."""
        return join(self.folder[1], OWNER)

    def covers(self, bucket: str, key: str) -> bool:
        """Whether a key lies in what is claimed."""
        return bucket == self.folder[0] and within(key, self.folder[1])

    def check(self) -> None:
        """Raise StoreBusy when the claim is lost, or so old that somebody else may have it."""
        if self.lost or self.clock.seconds() - self.renewed > self.owner.lease:
            self.lost = True
            hint = "the store could not be reached in time, or this process slept; run again"
            raise StoreBusy(f"the claim on '{self.folder[0]}/{self.folder[1]}' was lost", hint=hint)

    def renew(self) -> None:
        """Write the record again. Raises StoreBusy when it is not ours any more, StoreError when the store fails."""
        with self.lock:
            self.check()
            began = self.clock.seconds()
            self.owner = replace(self.owner, beat=self.owner.beat + 1)
            try:
                self._put()
            except Taken:
                self.lost = True
                self.check()
            self.renewed = began

    def _put(self) -> None:
        """Write the record over our last one. Raises Taken when that is not there any more."""
        bucket, data = self.folder[0], dump(self.owner)
        if self.conditional:
            try:
                self.etag = self.board.put(bucket, self.key, data, match=self.etag)
                return
            except Taken:
                pass  # the answer to an earlier beat may have been lost: then what is there is still ours
        self.etag = self.board.put(bucket, self.key, data, match=self._ours())

    def release(self) -> None:
        """Take the record away. One that stays, since the store fails, dies of age."""
        with self.lock:
            try:
                self.board.drop(self.folder[0], self.key, match=self._ours())
            except (Taken, StoreError):
                self.lost = True

    def _ours(self) -> str:
        """The etag of the record that is there. Raises Taken when it is not of this claim."""
        found = self.board.get(self.folder[0], self.key)
        owner = parse(found.data) if found else None
        if found is None or owner is None or owner.token != self.owner.token:
            raise Taken
        return found.etag


@contextmanager
def held(
    board: Board, folders: Sequence[Folder], *, run: str, wait: float, clock: Clock, lease: float
) -> Iterator[tuple[Claim, ...]]:
    """Hold the claims on all folders, renewed, while the context lasts; StoreBusy names the holder after `wait`."""
    me = this_process(run=run, clock=clock, lease=lease)
    claims, stack = _acquired(board, sorted(set(folders)), me, clock.seconds() + wait, clock)
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(claims, over), name="claims", daemon=True)
    with stack:
        beating.start()
        try:
            yield claims
        finally:
            over.set()
            beating.join()


def _acquired(
    board: Board, folders: Sequence[Folder], me: Owner, until: float, clock: Clock
) -> tuple[tuple[Claim, ...], ExitStack]:
    while True:
        with ExitStack() as stack:
            try:
                claims = []
                for folder in folders:
                    claims.append(_taken(board, folder, me, clock))
                    stack.callback(claims[-1].release)
                for claim in claims:
                    _look_around(board, claim, me.token)
                    claim.renew()  # what came before may have taken longer than the lease
            except StoreBusy:
                if clock.seconds() >= until:
                    raise
            else:
                return tuple(claims), stack.pop_all()
        # Two that met while they looked around must not meet again.
        time.sleep(random.uniform(_POLL / 2, _POLL))


def _taken(board: Board, folder: Folder, me: Owner, clock: Clock) -> Claim:
    bucket, key = folder[0], join(folder[1], OWNER)
    found = _live(board, bucket, key)
    began = clock.seconds()
    try:
        etag = board.put(bucket, key, dump(me), match=found.etag if found else None)
    except Taken:
        raise _busy(board, bucket, key) from None
    conditional = board.conditional(bucket, key)
    if not conditional:
        board.put(bucket, key, dump(me), match=None)  # the question may have written over it
        time.sleep(SETTLE)
        now = board.get(bucket, key)
        owner = parse(now.data) if now else None
        if now is None or owner is None or owner.token != me.token:
            raise _busy(board, bucket, key)
        etag = now.etag
    return Claim(board, folder, me, etag, began, conditional, clock)


def _live(board: Board, bucket: str, key: str, *, ours: str = "") -> Found | None:
    """The dead record that is there, or None; StoreBusy when the record is somebody's who lives."""
    found = board.get(bucket, key)
    owner = parse(found.data) if found else None
    if found is None or (owner is not None and owner.token == ours):
        return None
    if not is_dead(owner, found.age):
        hint = f"wait until it is done, or stop it; without a sign of life its claim ends after {LEASE:.0f} seconds"
        raise StoreBusy(f"{owner or 'another run'} writes to '{bucket}/{key.removesuffix(OWNER)}'", hint=hint)
    return found


def _busy(board: Board, bucket: str, key: str) -> StoreBusy:
    try:
        _live(board, bucket, key)
    except StoreBusy as error:
        return error
    return StoreBusy(f"another run took '{bucket}/{key.removesuffix(OWNER)}' just now", hint="wait until it is done")


def _look_around(board: Board, claim: Claim, token: str) -> None:
    """Refuse live claims above and below; take dead ones away, so that none comes back to life."""
    bucket, folder = claim.folder
    above = [join(each, OWNER) for each in ("", *ancestors(folder))] if folder else []
    for key in (*above, *board.owners(bucket, folder)):
        found = _live(board, bucket, key, ours=token)
        if found is not None:
            try:
                board.drop(bucket, key, match=found.etag)
            except Taken:
                raise _busy(board, bucket, key) from None


def _beat(claims: Sequence[Claim], over: threading.Event) -> None:
    every = min((claim.owner.lease for claim in claims), default=LEASE) / 3
    while not over.wait(every):
        for claim in claims:
            try:
                claim.renew()
            except StoreError:
                # Lost, or out of reach for now: what is done under the claim finds out by itself.
                continue


__all__ = ["LEASE", "OWNER", "Board", "Claim", "Found", "Owner", "Taken", "held"]
