"""Whatever is sent, the answer says what is wrong and where, nothing is lost, and the server does not fail."""

from typing import Any

import pytest

from headrace.execution.queue import Outcome
from tests.support.jobs import Json
from tests.support.proving import facts_of, proves
from tests.support.server import Server, documented_job
from tools.reference.facts import Fact

JOBS = "/api/v1/jobs"
WRONG: dict[str, list[object]] = {
    "string": [5, 1.5, True, [], {}],
    "integer": ["x", "5", 1.5, 5.0, True, [], {}, 10**30],
    "array": [5, "x", True, {}],
    "object": [5, "x", True, []],
    "boolean": ["true", 0, 1.5, [], {}],
}
# What is optional and may be null: it is as if it were left out.
MAY_BE_NULL = (
    *("createJob.body.maxConcurrentRuns", "patchJob.body.maxConcurrentRuns"),
    *("createJobExecution.body.jobCondition", "createJobExecution.body.parameters"),
)
BODIES = (
    *("createJob.body.", "verifyJob.body.", "updateJob.body.", "patchJob.body."),
    *("createJobExecution.body.", "updateJobExecutionConfig.body."),
)
FIELDS = [fact for name in BODIES for fact in facts_of(name) if fact.type]
OF_CONDITION = [fact for fact in facts_of("Condition.") if fact.type and fact.name != "consoleLogPath"]
HANGUL, CONTROL = "작업001", "job\u0007one"


def request_of(operation: str, job_id: str) -> tuple[str, str, Json]:
    """Method, path and a sound body."""
    at, condition = f"{JOBS}/{job_id}", {"jobCondition": {"numWorker": 3}}
    return {
        "createJob": ("POST", JOBS, documented_job(name="another")),
        "verifyJob": ("POST", f"{JOBS}/verify", documented_job(name="another")),
        "updateJob": ("PUT", at, documented_job(name="another", type="DATAFLOW")),
        "patchJob": ("PATCH", at, {"name": "another"}),
        "createJobExecution": ("POST", f"{at}/executions", dict(condition)),
        "updateJobExecutionConfig": ("PUT", f"{at}/executions", dict(condition)),
    }[operation]


def refused(server: Server, method: str, path: str, body: object) -> list[str]:
    """The fields that the refusal names; all of them stand in its detail too."""
    answer = server.ask(method, path, body)
    told = answer.json()
    assert (answer.status_code, told["errorType"], told["title"]) == (400, "bad-parameter", "Bad Request"), told
    assert told["detail"].startswith("Check the parameters. ")
    fields = [problem.get("field", "") for problem in told["problems"]]
    assert all(field in told["detail"] for field in fields[:20])
    assert all(problem["message"] for problem in told["problems"])
    assert len(answer.content) < 1_000_000
    return fields


def wrong_values(fact: Fact) -> list[object]:
    values = list(WRONG[fact.type])
    values += [] if fact.least is None else [fact.least - 1, -(10**18)]
    values += [] if fact.most is None else [fact.most + 1]
    return values if fact.id in MAY_BE_NULL else [*values, None]


@proves("createJob.body.*", "verifyJob.body.*", "updateJob.body.*", "patchJob.body.*")
@proves("createJobExecution.body.*", "updateJobExecutionConfig.body.*", "requests.null")
@pytest.mark.parametrize("fact", FIELDS, ids=lambda fact: fact.id)
def test_a_field_of_a_body_that_is_wrong_is_told_and_nothing_changes(kept: tuple[Server, Json], fact: Fact) -> None:
    server, job = kept
    operation = fact.id.partition(".")[0]
    for value in wrong_values(fact):
        method, path, body = request_of(operation, job["jobId"])
        assert fact.name in refused(server, method, path, {**body, fact.name: value}), value
    if fact.required:
        method, path, body = request_of(operation, job["jobId"])
        assert refused(server, method, path, {key: body[key] for key in body if key != fact.name}) == [fact.name]


@proves("Condition.*")
@pytest.mark.parametrize("fact", OF_CONDITION, ids=lambda fact: fact.id)
def test_a_field_of_a_condition_that_is_wrong_is_told_wherever_it_is_sent(
    kept: tuple[Server, Json], fact: Fact
) -> None:
    server, job = kept
    for operation in ("createJob", "verifyJob", "updateJob", "patchJob", "createJobExecution"):
        method, path, body = request_of(operation, job["jobId"])
        for value in wrong_values(fact):
            sent = {**body, "jobCondition": {fact.name: value}}
            assert refused(server, method, path, sent) == [f"jobCondition.{fact.name}"], value


@proves(
    "Condition.workerType", "createJob.body.type", "updateJob.body.type", "patchJob.body.type", "requests.worker-type"
)
@pytest.mark.parametrize("value", ["default", "DEFAULTS", "", " ", "x" * 100_000, HANGUL, "DEFAULT "])
def test_a_word_that_is_not_one_of_a_few_is_told_with_those_that_are(kept: tuple[Server, Json], value: str) -> None:
    server, job = kept
    for operation in ("createJob", "updateJob", "patchJob"):
        method, path, body = request_of(operation, job["jobId"])
        assert refused(server, method, path, {**body, "type": value}) == ["type"]
        detail = server.ask(method, path, {**body, "jobCondition": {"workerType": value}}).json()["detail"]
        assert "jobCondition.workerType: " in detail
        assert "one of 'DEFAULT' or 'DATAFLOW'" in detail


@proves("Common.name-length", "Common.name-signs", "Common.name-first", "createJob.body.name", "patchJob.body.name")
@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 101,
        "1ab",
        "a b",
        "a.b",
        HANGUL,
        CONTROL,
        "job\n",
        "\tjob",
        "job\u200b",
        "é" * 5,
        "a/b",
        "${job}",
    ],
)
def test_a_name_that_can_not_be_is_told_with_what_it_may_be(kept: tuple[Server, Json], name: str) -> None:
    server, job = kept
    for operation in ("createJob", "verifyJob", "updateJob", "patchJob"):
        method, path, body = request_of(operation, job["jobId"])
        answer = server.ask(method, path, {**body, "name": name})
        assert answer.status_code == 400
        assert "can't be a name; 3 to 100 of A-Z, a-z, 0-9, '_' and '-', the first a letter" in answer.json()["detail"]


@proves("Common.name-length", "Common.name-signs", "Common.name-first", "verifyJob.body.name")
@proves("requests.first-character-of-names", "requests.length-of-names")
@pytest.mark.parametrize("name", ["abc", "_ab", "-ab", "a" * 100, "A-1_b"])
def test_a_name_that_can_be_is_taken(kept: tuple[Server, Json], name: str) -> None:
    assert kept[0].ask("POST", f"{JOBS}/verify", documented_job(name=name)).text == "true"


@proves(
    "Condition.numWorker", "Condition.timeout", "Condition.workerType=*", "Condition.scriptPath", "Condition.logPath"
)
@proves("Condition.nrn", "requests.timeout-range", "requests.worker-type")
@pytest.mark.parametrize(
    "condition",
    [
        {"numWorker": 2},
        {"numWorker": 10},
        {"timeout": 0},
        {"timeout": 1},
        {"timeout": 1440},
        {"workerType": "DEFAULT"},
        {"workerType": "DATAFLOW"},
        {"nrn": "nrn:PUB:IAM::1234567:Role/00000000-0000-0000-0000-000000000000"},
        {"scriptPath": "lake/scripts/", "logPath": "lake/logs"},
        {"scriptPath": "", "logPath": "", "nrn": ""},
    ],
)
def test_the_ends_of_what_a_condition_may_be_are_taken(kept: tuple[Server, Json], condition: Json) -> None:
    assert kept[0].ask("POST", f"{JOBS}/verify", documented_job(jobCondition=condition)).text == "true"


@proves("Condition.scriptPath", "Condition.logPath")
@pytest.mark.parametrize("path", ["../up", "/root", "lake//x", "lake/../x", "lake/a\u0001", "x" * 2_000, "."])
def test_a_place_that_no_bucket_can_hold_is_told(kept: tuple[Server, Json], path: str) -> None:
    server, job = kept
    for operation in ("createJob", "createJobExecution", "updateJobExecutionConfig"):
        method, at, body = request_of(operation, job["jobId"])
        sent = {**body, "jobCondition": {"scriptPath": path, "logPath": path}}
        assert refused(server, method, at, sent) == ["jobCondition.scriptPath", "jobCondition.logPath"]


NESTED = b'{"name": "job002", "isTemp": true, "nodes": [], "x": '
BEYOND = [
    pytest.param(b'{"name": 1, "nodes": [' + b"1," * 1_000_000 + b"1]}", id="a million nodes"),
    pytest.param(b'{"name": "job002", "nodes": [' + b"{}," * 4_999 + b"{}]}", id="5000 empty nodes"),
    pytest.param(
        b'{"name": "job002", "nodes": [{"id": 1, "type": "SOURCE_OBS", "fieldList": [' + b"1," * 900_000, id="cut"
    ),
    pytest.param(
        b'{"name": "job002", "nodes": [{"id": 1, "type": "SOURCE_OBS", "fieldList": [' + b"{}," * 900_000 + b"{}]}]}",
        id="a node with a million fields",
    ),
    pytest.param(b'{"name": "job002", "nodes": [], "parameters": [' + b"{}," * 2_000 + b"{}]}", id="2000 parameters"),
    pytest.param(NESTED + b"[" * 3_000 + b"]" * 3_000 + b"}", id="lists in lists"),
    pytest.param(NESTED + b'{"a":' * 3_000 + b"1" + b"}" * 3_000 + b"}", id="objects in objects"),
    pytest.param(NESTED + b"1e400}", id="a number without end"),
    pytest.param(NESTED + b"9" * 500 + b"}", id="a number of 500 digits"),
    pytest.param(NESTED + b"NaN}", id="not a number"),
    pytest.param(b'{"a": 1, "a": 2, ' + b",".join(b'"k%d": 1' % i for i in range(100_000)) + b"}", id="a key twice"),
    pytest.param(b'{"name": "' + b"x" * 2_000_000 + b'", "nodes": []}', id="a name of two million signs"),
    pytest.param(b'{"name": "job002", "type": "' + b"x" * 2_000_000 + b'", "nodes": []}', id="a type of two million"),
    pytest.param('{"name": "job002", "nodes": [], "설명": "'.encode("utf-16"), id="another encoding"),
]


@proves("requests.keys-twice", "requests.sizes")
@pytest.mark.parametrize("body", BEYOND)
def test_a_body_beyond_all_measure_is_refused_in_few_words(kept: tuple[Server, Json], body: bytes) -> None:
    server, job = kept
    for method, path in (("POST", JOBS), ("POST", f"{JOBS}/verify"), ("PUT", f"{JOBS}/{job['jobId']}")):
        refused(server, method, path, body)


@proves("GatewayError.errors.430")
def test_a_body_of_ten_megabytes_is_too_large_for_every_operation(kept: tuple[Server, Json]) -> None:
    server, job = kept
    for operation in ("createJob", "verifyJob", "updateJob", "patchJob", "createJobExecution"):
        method, path, _ = request_of(operation, job["jobId"])
        answer = server.ask(method, path, b'{"name": "' + b"x" * 10_000_000 + b'"}')
        assert (answer.status_code, answer.json()["error"]["errorCode"]) == (413, "430")
        assert "bytes" in answer.json()["error"]["details"]


@proves("requests.sizes")
def test_a_graph_that_is_too_deep_is_told_and_a_wide_one_is_taken(kept: tuple[Server, Json]) -> None:
    server, _ = kept
    first, middle, last = documented_job()["nodes"]
    steps = [{**middle, "id": 10 + i, "parentNodeIds": [9 + i if i else first["id"]]} for i in range(1_500)]
    sent = {"name": "deep", "nodes": [first, *steps, {**last, "parentNodeIds": [steps[-1]["id"]]}]}
    assert refused(server, "POST", f"{JOBS}/verify", sent) == ["parentNodeIds"]
    wide = [{**last, "id": 10 + i, "prefix": f"out/{i}", "parentNodeIds": [first["id"]]} for i in range(300)]
    assert server.ask("POST", f"{JOBS}/verify", {"name": "wide", "nodes": [first, *wide]}).text == "true"


def test_an_id_of_another_kind_is_not_found(server: Server) -> None:
    one, other = server.made(), server.made(name="other")
    run = server.executed(one["jobId"])["jobExecutionId"]
    tries = {
        f"{JOBS}/{run}": "JOB",
        f"{JOBS}/{one['jobId']}/executions/{one['jobId']}": "JOB_EXECUTION",
        f"{JOBS}/{other['jobId']}/executions/{run}": "JOB_EXECUTION",
        f"{JOBS}/{run}/executions/{run}": "JOB_EXECUTION",
    }
    for path, kind in tries.items():
        answer = server.ask("GET", path)
        assert (answer.status_code, answer.json()["errorType"]) == (404, f"resource-not-found/{kind}")


@proves(
    "ServiceError.errors.bad-state", "requests.unique-names", "requests.deleting-what-runs", "requests.twice-the-same"
)
def test_what_is_sent_twice_is_done_as_often_as_it_can_be(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}"
    again = server.ask("POST", JOBS, documented_job())
    assert (again.status_code, again.json()["problems"][0]["code"]) == (400, "name-taken")
    first, second = (server.executed(job["jobId"])["jobExecutionId"] for _ in range(2))
    assert first != second
    busy = server.ask("DELETE", at)
    assert (busy.status_code, busy.json()["errorType"]) == (400, "bad-state")
    assert busy.json()["detail"] == (
        "Check the status. 2 executions of the job wait or run; wait for them, or cancel them."
    )
    for run in (first, second):
        assert server.ask("POST", f"{at}/executions/{run}/cancel").text == "true"
        twice = server.ask("POST", f"{at}/executions/{run}/cancel")
        assert (twice.status_code, twice.json()["errorType"]) == (400, "bad-state")
    assert server.ask("DELETE", at).text == "true"
    assert server.ask("DELETE", at).status_code == 404
    assert server.ask("POST", f"{at}/executions", {}).json()["errorType"] == "bad-state"
    assert server.ask("GET", f"{at}/executions").json()["count"] == 2
    assert server.ask("POST", JOBS, documented_job()).status_code == 201


def test_what_is_odd_but_json_comes_back_as_it_was_sent(server: Server) -> None:
    odd: dict[str, Any] = {
        "description": "작업 \u0007 \U0001f600 \u2028 </script>",
        "nodes": [
            {"name": "노드\n1", "x": [1e-7, 12345678901234567890, "\u007f"], "deep": {"a": {"b": [None, True]}}},
            {"type": "SOURCE_OBS", "id": -(2**63), "fieldList": [{"name": "한글"}, 5]},
        ],
    }
    made = server.made(isTemp=True, **odd)
    told = server.ask("GET", f"{JOBS}/{made['jobId']}").json()
    assert told["description"] == odd["description"]
    assert told["nodes"] == [odd["nodes"][0], {**odd["nodes"][1], "fieldList": [{"name": "한글", "properties": []}, 5]}]


@proves("createJobExecution.body.parameters")
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"day": None}, "parameters.day"),
        ({"day": 1.5}, "parameters.day"),
        ({"day": True}, "parameters.day"),
        ({"day": ["2025-01-01"]}, "parameters.day"),
        ({"day": "yesterday"}, "parameters"),
        ({"dya": "2025-01-01"}, "parameters"),
        ({}, "parameters"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told(server: Server, parameters: Json, field: str) -> None:
    job = server.made(parameters=[{"name": "day", "type": "date"}])
    at = f"{JOBS}/{job['jobId']}/executions"
    assert field in refused(server, "POST", at, {"parameters": parameters})
    assert server.ask("GET", at).json()["count"] == 0
    good = server.ask("POST", at, {"parameters": {"day": "2025-01-01"}}).json()
    assert good["parsedParameters"] == {"day": "2025-01-01"}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=x", "limit=-1", "after=" + "9" * 30])
def test_a_log_is_asked_for_with_numbers(server: Server, query: str) -> None:
    job = server.made()
    run = server.executed(job["jobId"])["jobExecutionId"]
    server.finish(server.claim().lease_token, Outcome("COMPLETED"))
    answer = server.ask("GET", f"{JOBS}/{job['jobId']}/executions/{run}/log?{query}")
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, query.partition("=")[0])
