"""Whatever is wrong: one clear message with its place, exit code 1 or 2, and the old output stands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from headrace.stores.files import FolderStore
from tests.support.command import OLD, Place
from tests.support.jobs import Json, fields, node, source, target


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def select(node_id: int, *parents: int, columns: str = "id bigint") -> Json:
    return node("TRANSFORM_SELECT", node_id, parents, fieldList=fields(columns))


def where(name: str, value: str) -> Json:
    conditions = [{"name": name, "operator": "EQ", "value": value}]
    return node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=conditions)


def join(*parents: int, left: str = "id", right: str = "id") -> Json:
    condition = {"leftField": left, "joinOperator": "EQ", "rightField": right, "conditionOperator": "HEAD"}
    return node(
        "TRANSFORM_JOIN", 3, parents, joinType="INNER", leftNodeId=1, rightNodeId=2, joinConditionList=[condition]
    )


def ask(text: str) -> list[Json]:
    """A job with this query over one source, `t`."""
    aliases = [{"parentId": 1, "newName": "t"}]
    return [source(), node("TRANSFORM_SQL", 2, (1,), name="ask", sourceNameList=aliases, sql=text), OUT]


SQL = "node 'ask' (2), sql: line 1, "
OUT = target("id bigint", parents=(2,))
OTHER = source(node_id=2, prefix="b")
WRONG: dict[str, tuple[list[Any], str]] = {
    "wrong types": (
        [{**source(), "prefix": 5}, target()],
        "node 'node 1' (1), prefix: should be a string, not the number 5",
    ),
    "unknown node type": (
        [{**source(), "type": "SOURCE_OSB"}, target()],
        "node 'node 1' (1), type: 'SOURCE_OSB' is not a node type; did you mean 'SOURCE_OBS'",
    ),
    "duplicate ids": (
        [source(), select(1, 1), target()],
        "node 'node 1' (1), id: 2 nodes have the id 1; give each its own",
    ),
    "a parent that does not exist": (
        [source(), target(parents=(12,))],
        "node 'node 9' (9), parentNodeIds: there is no node 12; ",
    ),
    "a cycle": (
        [source(), select(2, 4), select(4, 2), OUT],
        "node 'node 2' (2), parentNodeIds: this node reads its own rows, by way of others; break the circle",
    ),
    "a source with parents": (
        [source(), source(node_id=2, parentNodeIds=[1]), target(parents=(2,))],
        "node 'node 2' (2), parentNodeIds: a source has no parents, and this one has 1",
    ),
    "a target without parents": (
        [source(), target(parents=())],
        "node 'node 9' (9), parentNodeIds: TARGET_OBS has 1 parent, and this one has 0",
    ),
    "a target as parent": (
        [source(), target(), target(node_id=8, parents=(9,), prefix="b")],
        "node 'node 8' (8), parentNodeIds: node 9 ('node 9') is a target, which gives no rows; "
        "read from the node before it",
    ),
    "join with one parent": (
        [source(), join(1), target(parents=(3,))],
        "node 'node 3' (3), parentNodeIds: TRANSFORM_JOIN has 2 parents, and this one has 1",
    ),
    "unknown column": (
        [source(), where("nam", "a"), OUT],
        "node 'node 2' (2), filterConditionList[0].name: no column 'nam'; did you mean 'name'?",
    ),
    "types that can't be compared": (
        [source(), OTHER, join(1, 2, right="name"), target("id bigint", parents=(3,))],
        "node 'node 3' (3), joinConditionList[0].rightField: 'id' is bigint and 'name' is string: "
        "they can't be compared; cast one of them with TRANSFORM_DEFINE before",
    ),
    "a value that is none of its column": (
        [source(), where("id", "many"), OUT],
        "node 'node 2' (2), filterConditionList[0].value: 'id' is bigint, and 'many' is not a whole number",
    ),
    "empty lists": (
        [source(), select(2, 1) | {"fieldList": []}, OUT],
        "node 'node 2' (2), fieldList: is empty; it needs at least one entry",
    ),
    "no nodes": ([], "job, nodes: the job has no nodes; begin with a source and a target"),
    "OVERWRITE of a whole bucket": (
        [source(), target(prefix="")],
        "node 'node 9' (9), prefix: OVERWRITE of a whole bucket is refused; name a prefix inside the bucket",
    ),
    "a decimal of more digits than there are": (
        [source("id decimal(39,0)"), target("id decimal(38,0)")],
        "node 'node 1' (1), fieldList[0]: decimal(39,0): precision is 1 to 38, scale 0 to the precision",
    ),
    "SQL: an unknown column": (ask("SELECT idd AS id FROM t"), f"{SQL}column 8: no column 'idd'; did you mean 'id'?"),
    "SQL: an unknown function": (
        ask("SELECT md5(name) AS id FROM t"),
        f"{SQL}column 8: 'md5' is not on the list of functions; did you mean 'mod'?",
    ),
    "SQL: an unknown table": (ask("SELECT id FROM u"), f"{SQL}column 16: there is no source 'u'; there is t"),
    "SQL: two statements": (
        ask("SELECT id FROM t; DROP TABLE t"),
        f"{SQL}column 18: there is more than one statement; keep one query; a WITH can hold the others",
    ),
    "SQL: a column without a name": (
        ask("SELECT id + 1 FROM t"),
        f"{SQL}column 8: this column has no name; give it one: … AS name",
    ),
    "SQL: no column": (ask("SELECT FROM t"), f"{SQL}column 13: a SELECT without columns; SELECT column, … FROM …"),
    "SQL: no end": (
        ask("SELECT id FROM t WHERE"),
        f"{SQL}column 18: can't be read at 'WHERE': something is missing behind it; one query in Spark SQL: ",
    ),
    "SQL: a parent without an alias": (
        [source(), OTHER, {**ask("SELECT id FROM t")[1], "parentNodeIds": [1, 2], "id": 5}, target(parents=(5,))],
        "node 'ask' (5), sourceNameList: parent 2 has no alias; add an entry with a newName",
    ),
    "a bucket's name that leaves the storage": (
        [source(bucketName="../lake"), target()],
        "node 'node 1' (1), bucketName: '../lake' can't be a bucket's name; "
        "3 to 63 of a-z, 0-9, '.' and '-', the first and the last a letter or a digit",
    ),
}


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_job_is_told_with_its_place_and_nothing_runs(place: Place, case: str, command: str) -> None:
    nodes, message = WRONG[case]
    done = place.call(command, place.job(*nodes))
    assert (done.code, done.out) == (2, "")
    assert any(line.strip().startswith(message) for line in done.err.splitlines()), done.err
    assert "Traceback" not in done.err
    assert place.stands()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "job: not JSON: expecting property name enclosed in double quotes at line 1, column 2"),
        ("", "job: not JSON: expecting value at line 1, column 1"),
        ("[]", "job: a job is a JSON object; begin with { and name, nodes"),
        ('{"name": "job", "name": "job", "nodes": []}', "job: the key 'name' stands twice in one object; "),
    ],
)
def test_what_is_no_job_is_told_with_its_place(place: Place, text: str, message: str) -> None:
    path = place.root / "job.json"
    path.write_text(text)
    for command in ("run", "check", "script"):
        done = place.call(command, str(path))
        assert done.code == 2
        assert done.err.startswith(f"the job has 1 problem:\n  {message}")
    assert place.stands()


def test_a_job_file_that_is_not_there_is_told(place: Place) -> None:
    done = place.call("run", "gone.json")
    assert done.code == 2
    assert "gone.json" in done.err
    assert place.stands()


BAD: dict[str, tuple[str | bytes, Json, str]] = {
    "a header that lacks a declared column": (
        "id,nam\n1,a\n",
        {},
        "lake/in/a.csv: there is no column 'name'; the header has: id, nam. fieldList has: id, name",
    ),
    "bytes that are not of the encoding": (
        b"id,name\n1,a\n2,\xff\n",
        {},
        "lake/in/a.csv, line 3: the bytes are not of the declared encoding; "
        "set options.encoding to what the file is written in",
    ),
    "an unclosed quote": (
        'id,name\n1,a\n2,"b\n',
        {},
        "lake/in/a.csv, line 3: a quoted value does not end, or more follows its closing quote; "
        "close the quote, or set another quote character in options",
    ),
    "an empty line before the header": (
        "\nid,name\n1,a\n", {}, "lake/in/a.csv, line 1: an empty line stands before the header; take it away"
    ),
    "a bad value with mode FAIL": (
        "id,name\n1,a\nmany,b\n",
        {"options": {"mode": "FAIL"}},
        "lake/in/a.csv, record 2: 'many' in column 'id' is not a value of bigint; "
        'correct it, or let such values be null and counted with "options": {"mode": "NULL"}',
    ),
    "a prefix with no files": (
        "",
        {"prefix": "nothing/here"},
        "bucket 'lake' has no data under prefix 'nothing/here'; a prefix is one object's exact name, or a folder; "
        "names that begin with '_' or '.' are not data",
    ),
    "a bucket that does not exist": ("", {"bucketName": "pond"}, "there is no bucket 'pond'; there are: lake"),
    "what is no Parquet": (
        "PAR1 and then nothing",
        {"dataType": "PARQUET"},
        "lake/in/a.csv: it does not read as Parquet: ",
    ),
    "what is no JSON": (
        '{"id": 1}\n{"id": 2\n',
        {"dataType": "JSON"},
        'Malformed JSON in file "lake/in/a.csv", at byte 10 in line 2: ',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_told_with_its_place_and_the_old_output_stands(place: Place, case: str) -> None:
    content, more, message = BAD[case]
    place.put("in/a.csv", content)
    done = place.call("run", place.job(source(**more), target()))
    assert done.code == 1, done.err
    assert done.error.startswith(f"node 'node 1' (1): {message}")
    assert done.out.startswith("FAILED  job  execution ")
    assert place.stands()


def test_a_bucket_of_a_target_that_does_not_exist_is_told_with_the_node(place: Place) -> None:
    done = place.call("run", place.job(source(), target(bucketName="pond")))
    assert (done.code, done.error) == (1, "node 'node 9' (9): there is no bucket 'pond'; there are: lake")


def test_ragged_rows_are_padded_cut_and_counted(place: Place) -> None:
    place.put("in/a.csv", "id,name\n1\n2,b,c\n3,d\n")
    done = place.call("run", place.job(source(), target()), "--json")
    assert done.code == 0
    (read,) = done.json["sources"]
    assert (read["rows"], read["shortRows"], read["longRows"]) == (3, 1, 1)


def test_a_storage_that_is_not_there_is_named(place: Place) -> None:
    done = place.call("run", place.job(source(), target()), "--storage", "/nowhere/buckets")
    assert done.code == 1
    assert done.error.startswith("there is no folder /nowhere/buckets, where the buckets should be; make it, with a")
    assert place.stands()


def test_two_live_writers_on_one_prefix_are_one_too_many(place: Place) -> None:
    with FolderStore(place.root / "buckets").claim([("lake", "out")], run="first", wait=0):
        done = place.call("run", place.job(source(), target()), "--set", "writer_wait=0.3")
    assert done.code == 1
    assert done.error.startswith(f"node 'node 9' (9): run first (process {os.getpid()} on ")
    assert done.error.endswith(
        " writes to 'lake/out', above it or below it; wait until it is done, or stop it; a claim ends with its process"
    )
    assert place.stands()


@contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """A disk of 3 MB at the path, where this user may mount one."""
    path.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


ROOM = "there is no room left; free room where data and temporary files are written"


@pytest.mark.fault
def test_a_full_disk_leaves_the_old_output(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk"):
        place = Place.made(tmp_path / "disk")
        place.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 20}\n" for i in range(60_000)))
        done = place.call("run", place.job(source(), target()))
        assert (done.code, done.error) == (1, f"node 'node 9' (9): lake/out: {ROOM}")
        assert place.stands()


@pytest.mark.fault
@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not there")
def test_a_file_that_may_not_grow_leaves_the_old_output(place: Place) -> None:
    place.put("in/a.csv", "id,name\n" + "".join(f"{i},{'x' * 20}\n" for i in range(60_000)))
    done = place.call("run", place.job(source(), target()), prefix=("prlimit", "--fsize=200000"))
    assert (done.code, done.error) == (1, f"node 'node 9' (9): lake/out: {ROOM}")
    assert place.stands()


DENIED = {
    "in/a.csv": "node 'node 1' (1): lake/in/a.csv: may not read it; let the user who runs this read it",
    "in": "node 'node 1' (1): 'lake/in': the system does not let us; look at the owner and the rights of the folder",
    "out": "node 'node 9' (9): 'lake/out/_headrace/",
}


def somebody(root: Path) -> tuple[str, ...]:
    """What begins a command as a user who is not root."""
    if os.getuid() != 0:
        return ()
    prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    subprocess.run(["chown", "-R", "65534:65534", str(root)], check=True)
    for folder in (root, *root.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    importing = (*prefix, sys.executable, "-c", "import headrace.cli.app")
    if shutil.which("setpriv") is None or subprocess.run(importing, cwd=root, capture_output=True).returncode:
        pytest.skip("root can't become somebody else who may run this Python")
    return prefix


@pytest.fixture
def passable() -> Iterator[Place]:
    """A place that somebody else can come to: a pytest that begins locks the folder that all of them share."""
    with TemporaryDirectory(prefix="headrace-") as folder:
        yield Place.made(Path(folder))


@pytest.mark.fault
@pytest.mark.parametrize("key", DENIED)
def test_what_the_system_does_not_allow_is_told_with_its_place(passable: Place, key: str) -> None:
    place = passable
    path = place.job(source(), target())
    prefix = somebody(place.root)
    denied = place.lake / key
    if os.getuid() == 0:
        os.chown(denied, 0, 0)
    denied.chmod(0o555 if key == "out" else 0o000)
    done = place.call("run", path, prefix=prefix)
    denied.chmod(0o755)
    assert done.code == 1, done.err
    assert done.error.startswith(DENIED[key])
    assert place.stands()


def test_a_failure_as_json_has_its_code_and_place(place: Place) -> None:
    done = place.call("run", place.job(source(prefix="nothing"), target()), "--json")
    assert done.code == 1
    assert done.json["status"] == "FAILED"
    assert (done.json["failure"]["code"], done.json["failure"]["nodeId"]) == ("store-missing", 1)
    wrong = place.call("run", place.job(source(), target(parents=())), "--json")
    assert wrong.code == 2
    assert wrong.json == {
        "status": "INVALID",
        "problems": [
            {
                "code": "wrong-parents",
                "message": "TARGET_OBS has 1 parent, and this one has 0",
                "nodeId": 9,
                "node": "node 9",
                "field": "parentNodeIds",
            }
        ],
    }


def test_unknown_fields_are_kept_and_warned_about(place: Place) -> None:
    done = place.call("run", place.job(source(colour="red"), target()), "--json")
    assert (done.code, place.left() == {"old.csv": OLD}) == (0, False)
    assert done.json["warnings"] == [
        "node 'node 1' (1), colour: is not a field that we know; it is kept and has no effect; "
        "there is " + done.json["warnings"][0].split("there is ")[1]
    ]
    checked = place.call("check", str(place.root / "job.json"), "--json")
    assert (checked.code, checked.json["status"]) == (0, "VALID")
    assert json.dumps(checked.json["warnings"]).count("unknown-field") == 1
