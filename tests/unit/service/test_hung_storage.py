"""A storage that takes requests and answers none: the logs of runs elsewhere are written all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.service import hearing
from headrace.service.objects import Objects
from headrace.service.outbox import Outbox, Outside
from headrace.stores import objects
from headrace.stores.objects.client import Patience
from tests.support.command import Place
from tests.support.proxy import Proxy, proxied
from tests.support.queue import DONE
from tests.support.seaweed import FULL, Seaweed
from tests.support.waiting import until
from tests.support.work import Works, copying, works

pytestmark = pytest.mark.services
THREADS = 4
SETTINGS = """
[storages.sound]
endpoint = "http://{sound}"
access_key = "{keys[0]}"
secret_key = "{keys[1]}"
buckets = ["lake"]

[storages.hung]
endpoint = "http://{hung}"
access_key = "{keys[0]}"
secret_key = "{keys[1]}"
buckets = ["other"]
"""


@pytest.fixture
def hung(seaweed: Seaweed) -> Iterator[Proxy]:
    with proxied(seaweed.host) as proxy:
        proxy.rule("hang")
        yield proxy


@pytest.fixture
def at(tmp_path: Path, seaweed: Seaweed, hung: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Works]:
    monkeypatch.setattr(objects, "BRIEF", Patience(connect=1.0, answer=1.0, attempts=1))
    monkeypatch.setattr(hearing, "LONG", 0.5)
    monkeypatch.setattr(hearing, "PAUSE", 3600.0)
    (tmp_path / "headrace.toml").write_text(SETTINGS.format(sound=seaweed.host, hung=hung.host, keys=FULL))
    with works(Place.made(tmp_path)) as made:
        yield made


def ended(at: Works, bucket: str) -> str:
    """A run that has ended and whose papers belong into this bucket."""
    log = f"{bucket}/logs/console/run.log"
    execution_id = at.submit(copying(), scriptPath=f"{bucket}/scripts/", consoleLogPath=log)
    token = at.line.one(at.line.now()).lease_token
    at.line.finish(token, DONE, at=at.line.now())
    return execution_id


def test_a_storage_that_hangs_is_soon_left_alone_and_holds_up_no_log_of_another(
    at: Works, seaweed: Seaweed, hung: Proxy
) -> None:
    for _ in range(3 * THREADS):
        ended(at, "other")
    ended(at, "lake")
    writer = Objects(at.line.database, at.settings(), clock=SystemClock(), worker="w1")
    loops = Outbox(at.line.database, [Outside("objects", writer.end, at_once=THREADS)], clock=SystemClock())
    loops.start(lambda: None)
    try:
        until(lambda: "logs/console/run.report.json" in seaweed.keys("lake", "logs"), limit=60)
    finally:
        loops.stop(patience=30)
    assert 1 <= len(hung.seen) <= THREADS
