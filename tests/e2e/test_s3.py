"""`headrace run` and `headrace infer` with object storage, as people use them."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headrace.stores.objects import ObjectStore
from headrace.stores.publish import snapshot
from tests.support.jobs import Json, job, node, source, target
from tests.support.proxy import Fault, proxied
from tests.support.publishing import BUCKET, place
from tests.support.seaweed import FULL, LIMITED, NARROW, Seaweed

pytestmark = pytest.mark.services

NAMES = ["a b.csv", "100%25.csv", "a+b.csv", "한글.csv", "st*r.csv", "q?s3_region=x.csv", "br[1].csv", "amp&=;.csv",
         "quote'\".csv", "#h.csv"]  # fmt: skip


def headrace(
    folder: Path, server: Seaweed, *arguments: str, keys: tuple[str, str] = FULL, host: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command with this storage; the secret stands in a file."""
    secret = folder / "secret"
    secret.write_text(keys[1] + "\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")},
        "HEADRACE_DATA": str(folder / "data"),
        "HEADRACE_S3_ENDPOINT": f"http://{host or server.host}",
        "HEADRACE_S3_ACCESS_KEY": keys[0],
        "HEADRACE_S3_SECRET_KEY_FILE": str(secret),
        **more,
    }
    command = [sys.executable, "-m", "headrace", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    assert keys[1] not in done.stdout + done.stderr
    return done


def run(folder: Path, server: Seaweed, *nodes: Json, **more: Any) -> tuple[int, dict[str, Any]]:
    """Run a job. Gives the exit code and the report."""
    (folder / "job.json").write_text(json.dumps(job(*nodes)))
    done = headrace(folder, server, "run", "job.json", "--json", **more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def only_a(node_id: int = 2) -> Json:
    condition = {"name": "name", "operator": "EQ", "value": "A"}
    return node("TRANSFORM_FILTER", node_id, (1,), filterType="AND", filterConditionList=[condition])


def texts(server: Seaweed, prefix: str) -> list[str]:
    store = ObjectStore(lambda bucket: server.access())
    return [server.data(BUCKET, each.key).decode() for each in snapshot(store, place(prefix)).objects]


def test_a_job_from_storage_to_storage(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    seaweed.put(BUCKET, "in/sub/2.csv", b"id,name\n3,A\n")
    seaweed.put(BUCKET, "out/old.csv", b"id,name\n9,old\n")
    code, report = run(tmp_path, seaweed, source(), only_a(), target(parents=(2,)))
    assert (code, report["status"]) == (0, "COMPLETED"), report
    assert [(s["rows"], len(s["objects"])) for s in report["sources"]] == [(3, 2)]
    assert [(t["rows"], t["removed"]) for t in report["targets"]] == [(2, 1)]
    (text,) = texts(seaweed, "out")
    assert sorted(text.splitlines()) == ["1,A", "3,A", "id,name"]
    assert seaweed.keys(BUCKET, "out") == [report["targets"][0]["files"][0].removeprefix(f"{BUCKET}/")]
    assert list((tmp_path / "data" / "tmp").iterdir()) == []


def test_a_source_may_be_the_target(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    for _ in range(2):
        code, report = run(tmp_path, seaweed, source(), only_a(), target(parents=(2,), prefix="in"))
        assert code == 0, report
    assert texts(seaweed, "in") == ["id,name\n1,A\n"]


@pytest.mark.parametrize("kind", ["PARQUET", "NDJSON"])
def test_other_formats_go_there_and_back(kind: str, seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    written = {"NDJSON": "JSON"}.get(kind, kind)
    assert run(tmp_path, seaweed, source(), target(kind=written, prefix="mid"))[0] == 0
    code, report = run(tmp_path, seaweed, source(kind=kind, prefix="mid"), target())
    assert (code, [s["rows"] for s in report["sources"]]) == (0, [2]), report
    assert sorted(texts(seaweed, "out")[0].splitlines()) == ["1,A", "2,B", "id,name"]


def test_every_name_is_read_as_it_is(seaweed: Seaweed, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        seaweed.put(BUCKET, f"in/{name}", f"id,name\n{number},A\n".encode())
    code, report = run(tmp_path, seaweed, source(), target())
    assert (code, [s["rows"] for s in report["sources"]]) == (0, [len(NAMES)]), report
    assert sorted(texts(seaweed, "out")[0].splitlines()) == [*(f"{n},A" for n in range(len(NAMES))), "id,name"]


def test_text_in_another_encoding_is_read(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", "id,name\n1,한글\n".encode("cp949"))
    code, report = run(tmp_path, seaweed, source(options={"encoding": "CP949"}), target())
    assert code == 0, report
    assert texts(seaweed, "out") == ["id,name\n1,한글\n"]


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "wrong secret": ({"keys": (FULL[0], "wrong/secret")}, "store-denied", "the secret key is not that of"),
    "unknown key": ({"keys": ("UNKNOWNKEY", "wrong/secret")}, "store-denied", "does not know the access key"),
    "down": ({"host": "127.0.0.1:1"}, "store-failed", "can't be reached"),
}


@pytest.mark.parametrize(("more", "failure", "told"), FAULTS.values(), ids=FAULTS)
def test_an_endpoint_that_does_not_do_is_told(
    more: dict[str, Any], failure: str, told: str, seaweed: Seaweed, tmp_path: Path
) -> None:
    code, report = run(tmp_path, seaweed, source(), target(), **more)
    assert (code, report["failure"]["code"]) == (1, failure), report
    assert told in report["failure"]["message"]


def test_a_bucket_that_is_missing_or_closed_is_told(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n")
    code, report = run(tmp_path, seaweed, source(), target(bucketName="nobody"))
    assert (code, report["failure"]["code"]) == (1, "store-missing"), report
    code, report = run(tmp_path, seaweed, source(bucketName="other"), target(), keys=LIMITED)
    assert (code, report["failure"]["code"], report["failure"]["nodeId"]) == (1, "store-denied", 1), report


READ_FAULTS: dict[str, tuple[Fault, str, str]] = {
    "gone": ("gone", "source-changed", "is gone"),
    "busy": ("busy", "store-failed", "answers 503|asks for fewer"),
    "cut": ("cut", "store-failed", "ends its answer too early"),
    "closed": ("drop", "store-failed", "closes the connection|ends its answer too early"),
    "clocks": ("skew", "store-denied", "the clocks|do not allow it"),
}


@pytest.mark.parametrize("kind", ["CSV", "PARQUET"])
@pytest.mark.parametrize(("fault", "failure", "told"), READ_FAULTS.values(), ids=READ_FAULTS)
def test_an_object_that_does_not_come_to_the_engine_is_told(
    fault: Fault, failure: str, told: str, kind: str, seaweed: Seaweed, tmp_path: Path
) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n" + b"1,A\n" * 100_000)
    seaweed.put(BUCKET, "out/old.csv", b"id,name\n9,old\n")
    if kind == "PARQUET":
        assert run(tmp_path, seaweed, source(), target(kind=kind, prefix="mid"))[0] == 0
    with proxied(seaweed.host) as proxy:
        proxy.rule(fault, "", "/in/1.csv" if kind == "CSV" else "/mid/part")
        prefix = "in" if kind == "CSV" else "mid"
        code, report = run(tmp_path, seaweed, source(kind=kind, prefix=prefix), target(), host=proxy.host)
    assert (code, report["failure"]["code"], report["failure"]["nodeId"]) == (1, failure, 1), report
    assert re.search(f"lake/{prefix}/.*({told})", report["failure"]["message"]), report
    assert texts(seaweed, "out") == ["id,name\n9,old\n"]


def test_text_that_stops_coming_in_the_middle_is_told(seaweed: Seaweed, tmp_path: Path) -> None:
    """After the first range: the engine has begun to read by then."""
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n" + b"1,A\n" * 100_000)
    with proxied(seaweed.host) as proxy:
        proxy.rule("gone", "GET", "/in/1.csv", after=2)  # the header, and the first range
        code, report = run(tmp_path, seaweed, source(), target(), host=proxy.host)
    assert (code, report["failure"]["code"], report["failure"]["nodeId"]) == (1, "source-changed", 1), report
    assert "'lake/in/1.csv' is gone" in report["failure"]["message"]
    assert seaweed.keys(BUCKET, "out") == []


def test_keys_for_one_prefix_do_there_and_nowhere_else(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "open/in/1.csv", b"id,name\n1,A\n")
    seaweed.put(BUCKET, "closed/1.csv", b"id,name\n1,A\n")
    code, report = run(tmp_path, seaweed, source(prefix="open/in"), target(prefix="open/out"), keys=NARROW)
    assert code == 0, report
    code, report = run(tmp_path, seaweed, source(prefix="closed"), target(prefix="open/out"), keys=NARROW)
    assert (code, report["failure"]["code"], report["failure"]["nodeId"]) == (1, "store-denied", 1), report
    assert "lake/closed" in report["failure"]["message"]
    assert texts(seaweed, "open/out") == ["id,name\n1,A\n"]
    code, report = run(tmp_path, seaweed, source(prefix="open/in"), target(prefix="closed"), keys=NARROW)
    assert (code, report["failure"]["code"]) == (1, "store-denied"), report
    assert seaweed.keys(BUCKET, "closed") == ["closed/1.csv"]


def test_clocks_that_differ_are_told(seaweed: Seaweed, tmp_path: Path) -> None:
    with proxied(seaweed.host) as proxy:
        proxy.rule("skew", "GET")
        code, report = run(tmp_path, seaweed, source(), target(), host=proxy.host)
    assert (code, report["failure"]["code"]) == (1, "store-denied"), report
    assert "the clocks of this machine and of the endpoint differ" in report["failure"]["message"]


def test_a_job_over_tls_with_an_own_authority(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    more = {"HEADRACE_S3_ENDPOINT": f"https://{seaweed.secure}", "HEADRACE_S3_CA_BUNDLE": seaweed.authority}
    assert run(tmp_path, seaweed, source(), target(kind="PARQUET", prefix="mid"), **more)[0] == 0
    code, report = run(tmp_path, seaweed, source(kind="PARQUET", prefix="mid"), target(), **more)
    assert code == 0, report
    assert sorted(texts(seaweed, "out")[0].splitlines()) == ["1,A", "2,B", "id,name"]
    code, report = run(tmp_path, seaweed, source(), target(), HEADRACE_S3_ENDPOINT=f"https://{seaweed.secure}")
    assert (code, report["failure"]["code"]) == (1, "store-denied"), report
    assert "s3_ca_bundle" in report["failure"]["hint"]


def test_compressed_text_is_read(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv.gz", gzip.compress(b"id,name\n1,A\n"))
    code, report = run(tmp_path, seaweed, source(), target())
    assert code == 0, report
    assert texts(seaweed, "out") == ["id,name\n1,A\n"]


def test_a_source_may_be_read_twice(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    code, report = run(tmp_path, seaweed, source(), source(node_id=2), only_a(3), target(parents=(3,)),
                       target(node_id=10, parents=(2,), prefix="all"))  # fmt: skip
    assert code == 0, report
    assert texts(seaweed, "out") == ["id,name\n1,A\n"]
    assert texts(seaweed, "all") == ["id,name\n1,A\n2,B\n"]


def test_data_that_can_not_be_read_is_told_with_its_name(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b'id,name\n1,"A\n2,B\n')
    code, report = run(tmp_path, seaweed, source(), target())
    assert (code, report["failure"]["code"]) == (1, "bad-data"), report
    assert "lake/in/1.csv" in report["failure"]["message"]


def test_a_source_is_suggested(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, "in/1.csv", b"id,name\n1,A\n2,B\n")
    done = headrace(tmp_path, seaweed, "infer", "lake/in", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["node"]["fieldList"] == [
        {"name": "id", "type": "int"},
        {"name": "name", "type": "string"},
    ]


def test_settings_are_shown_without_secrets(seaweed: Seaweed, tmp_path: Path) -> None:
    done = headrace(tmp_path, seaweed, "settings", "--json", HEADRACE_S3_SESSION_TOKEN="temporary")
    shown = json.loads(done.stdout)
    assert shown["s3_secret_key"] == {"value": "(set)", "origin": "environment HEADRACE_S3_SECRET_KEY_FILE"}
    assert shown["s3_session_token"] == {"value": "(set)", "origin": "environment HEADRACE_S3_SESSION_TOKEN"}
    assert "temporary" not in done.stdout


def test_a_secret_is_no_flag(seaweed: Seaweed, tmp_path: Path) -> None:
    done = headrace(tmp_path, seaweed, "settings", "--set", "s3_secret_key=x")
    assert done.returncode == 2
    assert "can't be a flag" in done.stderr


def test_a_folder_that_is_named_comes_before_object_storage(seaweed: Seaweed, tmp_path: Path) -> None:
    (tmp_path / "buckets/lake/in").mkdir(parents=True)
    (tmp_path / "buckets/lake/in/1.csv").write_text("id,name\n1,A\n")
    (tmp_path / "job.json").write_text(json.dumps(job(source(), target())))
    assert headrace(tmp_path, seaweed, "run", "job.json", "--storage", "buckets").returncode == 0
    assert seaweed.keys(BUCKET) == []
