"""A run to object storage is stopped while its files are uploaded, to an endpoint that takes them slowly."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import wait_until
from tests.support.jobs import job, source, target
from tests.support.proxy import Proxy, proxied
from tests.support.publishing import BUCKET
from tests.support.seaweed import FULL, Seaweed
from tests.support.waiting import A_WHILE

pytestmark = [pytest.mark.fault, pytest.mark.services]

ROW = b"1,%s\n" % (b"x" * 100)
SIZES = {
    "with one request": (60_000, "out/_headrace/", "out/_headrace/"),
    "in parts": (700_000, "partNumber=2", "out/part-00000"),
}


def started(folder: Path, proxy: Proxy) -> subprocess.Popen[str]:
    (folder / "job.json").write_text(json.dumps(job(source(), target())))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")},
        "HEADRACE_DATA": str(folder / "data"),
        "HEADRACE_S3_ENDPOINT": f"http://{proxy.host}",
        "HEADRACE_S3_ACCESS_KEY": FULL[0],
        "HEADRACE_S3_SECRET_KEY": FULL[1],
    }
    command = [sys.executable, "-m", "headrace", "run", "job.json", "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def saw(proxy: Proxy, path: str) -> Callable[[], bool]:
    return lambda: any(line.startswith("PUT") and path in line for line in proxy.seen)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("rows", "path", "slow"), SIZES.values(), ids=SIZES)
def test_a_signal_during_an_upload_is_heard_at_once_and_leaves_nothing(
    rows: int, path: str, slow: str, number: signal.Signals, seaweed: Seaweed, tmp_path: Path
) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n" + ROW * rows)
    seaweed.put(BUCKET, "out/old.csv", b"id,name\n9,old\n")
    with proxied(seaweed.host) as proxy:
        proxy.rule("slow", "PUT", slow)
        process = started(tmp_path, proxy)
        assert wait_until(saw(proxy, path), process=process)
        sent = time.monotonic()
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
        took = time.monotonic() - sent
    report = json.loads(out)
    assert (report["status"], report["failure"]["message"]) == ("CANCELED", f"stopped by {number.name}")
    assert took < A_WHILE
    assert seaweed.keys(BUCKET, "out") == ["out/old.csv"]
    assert seaweed.uploads(BUCKET) == []
    assert list((tmp_path / "data" / "tmp").iterdir()) == []
