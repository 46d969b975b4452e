"""The commands as a user types them: what they print, and how they end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import headrace
from headrace.nodes import registry
from tests.support.command import COMMAND, Place
from tests.support.jobs import node, source, target

HEAVY = ("duckdb", "pyspark", "pysail", "sqlglot", "boto3", "botocore", "sqlalchemy", "pyarrow", "pandas", "numpy")
EXAMPLE = Path(__file__).parents[2] / "examples" / "createJob.json"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def rows(place: Place, prefix: str = "out") -> list[str]:
    """The rows of all files of a prefix, without their headers."""
    return sorted(line for data in place.left(prefix).values() for line in data.decode().splitlines()[1:])


def test_the_documented_job_reads_and_overwrites_its_own_prefix(place: Place) -> None:
    (place.root / "buckets" / "aitems" / "dataflow1").mkdir(parents=True)
    data = place.root / "buckets" / "aitems" / "dataflow1" / "items.csv"
    data.write_text('id,name,description\n1,A,"two\nlines"\n2,B,x\n3,,y\n4,A,""\n')
    done = place.call("run", str(EXAMPLE))
    assert (done.code, done.err) == (0, "")
    (new,) = data.parent.iterdir()
    assert sorted(new.read_text().splitlines()) == sorted(["id,name,description", '1,A,"two', 'lines"', '4,A,""'])
    assert done.out.count("COMPLETED  job001  execution ") == 1
    again = place.call("run", str(EXAMPLE), "--json")
    assert (again.code, again.json["sources"][0]["rows"], again.json["targets"][0]["rows"]) == (0, 2, 2)


def test_a_run_as_json_is_one_object_with_its_figures(place: Place) -> None:
    done = place.call("run", place.job(source(), target()), "--json")
    assert (done.code, done.err) == (0, "")
    report = done.json
    assert (report["status"], report["job"], report["engine"], report["failure"]) == (
        "COMPLETED",
        "job",
        "duckdb",
        None,
    )
    assert [(s["rows"], s["bytes"], len(s["objects"])) for s in report["sources"]] == [(2, 16, 1)]
    assert [(t["rows"], t["removed"], t["skipped"]) for t in report["targets"]] == [(2, 1, False)]
    assert sorted(place.left()) == [name.removeprefix("lake/out/") for name in report["targets"][0]["files"]]
    assert rows(place) == ["1,a", "2,b"]
    assert list((place.root / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "expected", "skipped"),
    [("OVERWRITE", ["1,a", "2,b"], False), ("APPEND", ["0,old", "1,a", "2,b"], False), ("IGNORE", ["0,old"], True)],
)
def test_a_target_overwrites_appends_or_ignores(place: Place, mode: str, expected: list[str], skipped: bool) -> None:
    done = place.call("run", place.job(source(), target(updateType=mode)), "--json")
    assert (done.code, done.json["targets"][0]["skipped"], rows(place)) == (0, skipped, expected)


def test_a_job_may_come_from_standard_input(place: Place) -> None:
    text = Path(place.job(source(), target())).read_text()
    assert place.call("run", "-", given=text).code == 0
    assert place.call("check", "-", given="{").code == 2


def test_parameters_are_given_by_name(place: Place) -> None:
    where = node("TRANSFORM_FILTER", 2, (1,), filterType="AND", filterConditionList=[
        {"name": "id", "operator": "EQ", "value": "${which}"}
    ])  # fmt: skip
    specs = [{"name": "which", "type": "int"}, {"name": "folder", "type": "segment", "default": "in"}]
    path = place.job(source(prefix="${folder}"), where, target(parents=(2,)), parameters=specs)
    assert place.call("run", path, "--param", "which=2").code == 0
    assert rows(place) == ["2,b"]
    missing = place.call("run", path)
    assert missing.code == 2
    assert missing.err.startswith(
        "the job has 1 problem:\n  job, parameters: parameter 'which' has no value; give it: which=…"
    )
    assert place.call("run", path, "-p", "which=x").code == 2
    assert place.call("run", path, "-p", "which").code == 2
    assert place.call("check", path).code == 0


def test_check_shows_the_columns_of_every_node(place: Place) -> None:
    done = place.call("check", place.job(source(), target("id int")))
    assert (done.code, done.out) == (
        0,
        "job: 2 nodes, nothing is wrong\n  node 1 (1): id bigint, name string\n  node 9 (9): id int\n",
    )
    assert done.err == "warning: node 'node 9' (9), fieldList: not written: name; add them if they should be\n"
    assert place.stands()


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_a_script_names_every_node_in_either_dialect(place: Place, dialect: str) -> None:
    done = place.call("script", place.job(source(), target()), "--dialect", dialect)
    assert (done.code, done.err) == (0, "")
    assert "node 1 (1): read lake/in as CSV" in done.out
    assert "node 9 (9): write lake/out as CSV, OVERWRITE" in done.out
    assert place.stands()


def test_an_unknown_dialect_is_told_with_those_that_there_are(place: Place) -> None:
    done = place.call("script", place.job(source(), target()), "--dialect", "oracle")
    assert done.code == 2
    assert "duckdb or spark" in done.err


def test_nodes_lists_the_catalogue_and_shows_one_type(place: Place) -> None:
    listed = place.call("nodes")
    assert [line.split()[0] for line in listed.out.splitlines()[2:]] == list(registry())
    one = place.call("nodes", "transform_filter")
    assert one.code == 0
    assert "filterConditionList" in one.out
    assert list(place.call("nodes", "--json").json) == list(registry())
    assert place.call("nodes", "TRANSFORM_FILTER", "--json").json["type"] == "object"
    near = place.call("nodes", "TRANSFORM_FLITER")
    assert near.code == 2
    assert "did you mean 'TRANSFORM_FILTER'" in near.err
    short = place.call("nodes", "filter")
    assert (short.code, "did you mean 'TRANSFORM_FILTER'?" in short.err) == (2, True)


def test_infer_suggests_a_source_that_runs(place: Place) -> None:
    place.put("raw/x.csv", "id,day,price,code\n1,2024-01-05,1.5,007\n2,2024-01-06,NA,010\n3,2024-01-07,2,011\n")
    done = place.call("infer", "lake/raw", "--json")
    assert done.code == 0, done.err
    suggested = done.json["node"]
    assert {f["name"]: f["type"] for f in suggested["fieldList"]} == {
        "id": "int", "day": "date", "price": "double", "code": "string",
    }  # fmt: skip
    assert suggested["options"] == {"nullValue": "NA"}
    assert set(done.json["reasons"]) == {"id", "day", "price", "code"}
    ran = place.call("run", place.job(suggested, target("id int, day date, price double, code string")), "--json")
    assert ran.code == 0
    assert not any(ran.json["sources"][0]["badValues"].values())


@pytest.mark.parametrize("what", ["nowhere", "lake/none", "pond/x", "../etc"])
def test_infer_tells_what_it_does_not_find(place: Place, what: str) -> None:
    done = place.call("infer", what)
    assert (done.code, done.out) == (1, "")
    assert done.error


def test_settings_show_what_is_in_force_and_from_where(place: Place) -> None:
    (place.root / "headrace.toml").write_text("threads = 3\n")
    done = place.call("settings", "--set", "memory_limit=1GB", "--json", HEADRACE_WRITER_WAIT="2")
    found = {name: (entry["value"], entry["origin"].split()[0]) for name, entry in done.json.items()}
    assert {name: found[name] for name in ("data", "threads", "memory_limit", "writer_wait", "temp_size")} == {
        "data": (str(place.root), "environment"),
        "threads": ("3", "file"),
        "memory_limit": ("1GB", "flag"),
        "writer_wait": ("2.0", "environment"),
        "temp_size": ("", "default"),
    }
    assert place.call("settings").out.splitlines()[0].split() == ["setting", "value", "from"]


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (("--set", "thread=1"), {}, "there is no setting 'thread' (a flag); did you mean threads?"),
        (
            (),
            {"HEADRACE_THREADS": "two"},
            "threads: 'two' (environment HEADRACE_THREADS) can't be; it is a whole number",
        ),
        ((), {"HEADRACE_CONFIG": "gone.toml"}, "there is no file gone.toml; HEADRACE_CONFIG names it"),
    ],
)
def test_a_wrong_setting_ends_with_2(
    place: Place, arguments: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    done = place.call("run", place.job(source(), target()), *arguments, **environment)
    assert done.code == 2
    assert done.error.startswith(message)
    assert place.stands()


def test_a_data_folder_that_is_set_is_where_the_buckets_are(place: Place, tmp_path: Path) -> None:
    path = place.job(source(), target())
    assert place.call("run", path, HEADRACE_DATA=str(tmp_path / "other")).code == 1
    storage = str(place.root / "buckets")
    assert place.call("run", path, "--storage", storage, HEADRACE_DATA=str(tmp_path / "other")).code == 0


def test_the_version_the_help_and_the_completion_are_there(place: Place) -> None:
    assert place.call("--version").out == f"headrace {headrace.__version__}\n"
    shown = place.call("--help")
    assert (shown.code, shown.err) == (0, "")
    for command in ("run", "check", "script", "nodes", "infer", "settings"):
        assert f"  {command} " in shown.out
        assert place.call(command, "--help").code == 0
    completion = place.call("--show-completion", "bash")
    assert completion.code == 0
    assert "complete " in completion.out
    assert place.call("rnu").code == 2


@pytest.mark.parametrize("module", ["headrace", "headrace.cli", "headrace.cli.app", "headrace.settings"])
def test_importing_the_command_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, json, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & {*HEAVY, "rich"} == set()


def test_a_server_loads_no_engine_and_nothing_that_only_an_upgrade_needs() -> None:
    code = "import sys, json, headrace.cli.serving, headrace.api.app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & {"duckdb", "_duckdb", "alembic", "sqlglot", "boto3", "psycopg", "rich"} == set()


def test_asking_for_the_version_loads_no_library_at_all() -> None:
    code = "import sys, headrace.cli; sys.argv[1:] = ['--version']; headrace.cli.main(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == f"headrace {headrace.__version__}"
    assert not {"typer", "pydantic", *HEAVY} & set(done.stdout.splitlines()[1].strip("[]").replace("'", "").split(", "))


def test_nothing_is_written_but_to_the_target_and_to_our_own_folders(place: Place) -> None:
    before = {path for path in place.root.rglob("*") if path.is_file()}
    assert place.call("run", place.job(source(), target())).code == 0
    new = {path.relative_to(place.root) for path in place.root.rglob("*") if path.is_file()} - {
        path.relative_to(place.root) for path in before
    }
    assert {path.parts[:2] for path in new} <= {("job.json",), ("buckets", "lake"), ("buckets", ".headrace")}
    assert COMMAND[0] == sys.executable
    assert os.path.exists(place.lake / "in" / "a.csv")
