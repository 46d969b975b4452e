import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from headrace.errors import StoreBusy, StoreError
from headrace.stores.objects import leases
from headrace.stores.objects.leases import LEASE, OWNER, Claim, Found, Owner, Taken, dump, held, is_dead, parse


class Still:
    """A clock that stands still, or goes on each time that somebody looks."""

    def __init__(self, step: float = 0.0) -> None:
        self.step = step
        self.at = 0.0

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC)

    def seconds(self) -> float:
        self.at += self.step
        return self.at


@dataclass
class Paper:
    """Records in memory: whether conditions are kept, and how old everything is, can be told."""

    keeps: bool = True
    age: float = 0.0
    records: dict[str, bytes] = field(default_factory=dict)
    fails: bool = False

    def get(self, bucket: str, key: str) -> Found | None:
        data = self.records.get(f"{bucket}/{key}")
        return None if data is None else Found(data, str(hash(data)), self.age)

    def put(self, bucket: str, key: str, data: bytes, *, match: str | None) -> str:
        if self.fails:
            raise StoreError("away")
        found = self.get(bucket, key)
        if self.keeps and (found.etag if found else None) != match:
            raise Taken
        self.records[f"{bucket}/{key}"] = data
        return str(hash(data))

    def drop(self, bucket: str, key: str, *, match: str) -> None:
        found = self.get(bucket, key)
        if found is not None and self.keeps and found.etag != match:
            raise Taken
        self.records.pop(f"{bucket}/{key}", None)

    def conditional(self, bucket: str, key: str) -> bool:
        if not self.keeps:
            self.records[f"{bucket}/{key}"] = b""
        return self.keeps

    def owners(self, bucket: str, folder: str) -> Sequence[str]:
        inside = f"{bucket}/{folder}/" if folder else f"{bucket}/"
        found = (key for key in self.records if key.startswith(inside) and key.endswith(OWNER))
        return [key.removeprefix(f"{bucket}/") for key in found]

    def owner(self, key: str) -> Owner | None:
        return parse(self.records[key])


def claim(board: Paper, *folders: str, run: str = "run1", wait: float = 0.0, clock: Still | None = None) -> Claim:
    """The first claim of these, held for ever: its thread ends with the test's process."""
    context = held(board, [("b", f) for f in folders], run=run, wait=wait, clock=clock or Still(), lease=LEASE)
    _OPEN.append(context)
    return context.__enter__()[0]


_OPEN: list[object] = []
ELSEWHERE = Owner("other", "host", "another machine", 1, 1, "then", LEASE, "token")


def there(folder: str, owner: Owner = ELSEWHERE) -> dict[str, bytes]:
    return {f"b/{folder}/{OWNER}" if folder else f"b/{OWNER}": dump(owner)}


@pytest.fixture(params=[True, False], ids=["conditional", "plain"])
def board(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Paper:
    monkeypatch.setattr(leases, "SETTLE", 0.0)
    return Paper(keeps=request.param)


def test_a_claim_is_there_while_it_is_held(board: Paper) -> None:
    with held(board, [("b", "a/b")], run="run1", wait=0, clock=Still(), lease=LEASE) as (found,):
        owner = board.owner(f"b/a/b/{OWNER}")
        assert owner is not None
        assert (owner.run, owner.pid, owner.host) == ("run1", os.getpid(), os.uname().nodename)
        assert found.covers("b", "a/b/c")
        assert not found.covers("b", "a/b0")
    assert board.records == {}


@pytest.mark.parametrize("other", ["a/b", "a", "a/b/c", "", "a/b/c/d"])
def test_prefixes_that_contain_one_another_conflict(other: str, board: Paper) -> None:
    board.records = there("a/b")
    with pytest.raises(StoreBusy, match=r"run other .process 1 on host, since then. writes to 'b/a/b/'"):
        claim(board, other)
    assert board.records == there("a/b")


@pytest.mark.parametrize("other", ["a/c", "a/b0", "a1", "b"])
def test_neighbours_do_not_conflict(other: str, board: Paper) -> None:
    board.records = there("a/b")
    with held(board, [("b", other)], run="run1", wait=0, clock=Still(), lease=LEASE):
        pass
    assert board.records == there("a/b")


def test_a_claim_that_fails_half_way_holds_nothing(board: Paper) -> None:
    board.records = there("z")
    with pytest.raises(StoreBusy):
        claim(board, "a", "z")
    assert board.records == there("z")


@pytest.mark.parametrize("folder", ["a/b", "a", "a/b/c"])
def test_a_record_that_is_older_than_its_lease_is_taken_away(folder: str, board: Paper) -> None:
    board.records, board.age = there(folder), LEASE + 2.1
    with held(board, [("b", "a/b")], run="run1", wait=0, clock=Still(), lease=LEASE):
        assert list(board.records) == [f"b/a/b/{OWNER}"]
    assert board.records == {}


def test_a_sleeper_finds_that_its_claim_was_taken_away(board: Paper) -> None:
    sleeper = claim(board, "a/b")
    board.records[f"b/a/b/{OWNER}"] = dump(replace(sleeper.owner, token="of another run"))
    for change in (sleeper.renew, sleeper.check):
        with pytest.raises(StoreBusy, match="the claim on 'b/a/b' was lost"):
            change()
    sleeper.release()
    assert board.owner(f"b/a/b/{OWNER}") == replace(sleeper.owner, token="of another run", beat=1)


def test_a_claim_is_lost_by_its_own_clock_as_well(board: Paper) -> None:
    clock = Still()
    mine = claim(board, "a", clock=clock)
    board.fails = True
    clock.at = LEASE
    with pytest.raises(StoreError, match="away"):
        mine.renew()
    mine.check()
    clock.at = LEASE + 0.1
    with pytest.raises(StoreBusy):
        mine.check()
    clock.at = 0.0
    with pytest.raises(StoreBusy):
        mine.check()


def test_an_answer_that_was_lost_does_not_lose_the_claim(board: Paper) -> None:
    mine = claim(board, "a")
    board.put("b", mine.key, dump(replace(mine.owner, beat=7)), match=mine.etag)
    mine.renew()
    mine.check()
    assert parse(board.records[f"b/a/{OWNER}"]) == mine.owner


def test_a_second_writer_waits_for_its_time_and_then_gives_up(board: Paper) -> None:
    board.records = there("a")
    clock = Still(step=1.0)
    with pytest.raises(StoreBusy):
        claim(board, "a", wait=2.5, clock=clock)
    assert clock.at == 4.0


def test_a_process_of_this_machine_that_is_gone_is_dead_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        me = leases.this_process(run="run1", clock=Still(), lease=LEASE)
        started = leases._started(child.pid)
        assert started is not None
        owner = replace(me, pid=child.pid, started=started)
        assert not is_dead(owner, 0.0)
        child.kill()
        child.wait()
    assert is_dead(owner, 0.0)
    assert is_dead(replace(me, started=me.started - 1), 0.0), "another process had this number"
    assert not is_dead(replace(owner, machine="another"), 0.0)
    assert not is_dead(me, LEASE)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"run": 1}', dump(replace(ELSEWHERE, version=9))])
def test_a_record_that_can_not_be_read_holds_for_a_lease(data: bytes) -> None:
    assert parse(data) is None
    assert not is_dead(None, LEASE)
    assert is_dead(None, LEASE + 2.1)


def test_no_record_holds_for_ever() -> None:
    assert is_dead(replace(ELSEWHERE, lease=1e9), 603.0)
