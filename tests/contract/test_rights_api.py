"""What a key with rights of its own is let do, and how it is told what it may not."""

from pathlib import Path

import pytest

from headrace.auth.policy import Policy
from headrace.stores.grants import Grants
from tests.support.proving import proves
from tests.support.server import Server

JOBS = "/api/v1/jobs"


def key(server: Server, *allow: str, deny: tuple[str, ...] = (), grants: Grants | None = None) -> str:
    """A manager's key with these rules, by the name that it is asked with."""
    policy = Policy.of({"allow": allow or None, "deny": deny})
    server.held["own"] = server.new_key("manager", policy=policy, grants=grants)
    return "own"


def refused(server: Server, role: str, method: str, path: str, body: object = None) -> bool:
    """Whether the gateway says Permission Denied."""
    answer = server.ask(method, path, body, role=role)
    if answer.status_code != 401:
        return False
    assert (answer.json()["error"]["errorCode"], answer.json()["error"]["message"]) == ("210", "Permission Denied")
    return True


def test_a_key_may_do_what_its_rules_allow_to_the_jobs_that_they_name(server: Server) -> None:
    nightly, other = server.made(name="nightly-load"), server.made(name="hourly-load")
    own = key(server, "View/*", "Change/executeJob@nightly-*", f"Change/updateJob@{nightly['jobId']}")
    assert not refused(server, own, "POST", f"{JOBS}/{nightly['jobId']}/executions", {})
    assert refused(server, own, "POST", f"{JOBS}/{other['jobId']}/executions", {})
    assert not refused(server, own, "PATCH", f"{JOBS}/{nightly['jobId']}", {"description": "a"})
    assert refused(server, own, "PATCH", f"{JOBS}/{other['jobId']}", {"description": "a"})
    assert refused(server, own, "DELETE", f"{JOBS}/{nightly['jobId']}")
    assert server.ask("GET", f"{JOBS}/{other['jobId']}/executions").json()["count"] == 0
    assert server.ask("POST", f"{JOBS}/aaaaaaaaaaaa/executions", {}, role=own).status_code == 404


def test_a_job_can_not_be_made_with_or_renamed_to_a_name_outside_of_the_rules(server: Server) -> None:
    own = key(server, "View/*", "Change/*@team-*")
    made = server.ask("POST", JOBS, {"name": "team-one", "isTemp": True}, role=own)
    assert made.status_code == 201
    assert refused(server, own, "POST", JOBS, {"name": "other", "isTemp": True})
    assert refused(server, own, "PATCH", f"{JOBS}/{made.json()['jobId']}", {"name": "other", "isTemp": True})
    assert not refused(server, own, "PATCH", f"{JOBS}/{made.json()['jobId']}", {"name": "team-two", "isTemp": True})


@proves("getJobs.answer.disabled", "answers.disabled", "Common.resource-types")
def test_a_job_that_the_caller_may_not_view_is_only_named_in_lists(server: Server) -> None:
    secret, plain = server.made(name="secret"), server.made(name="plain")
    run = server.executed(secret["jobId"])["jobExecutionId"]
    own = key(server, deny=("View/*@secret",))
    rows = {row["name"]: row for row in server.ask("GET", JOBS, role=own).json()["list"]}
    assert rows["secret"] == {
        "jobId": secret["jobId"],
        "name": "secret",
        "resourceId": secret["jobId"],
        "disabled": True,
    }
    assert (rows["plain"]["disabled"], rows["plain"]["status"]) == (False, "RUNNABLE")
    at = f"{JOBS}/{secret['jobId']}"
    of_run = [f"/executions/{run}{part}" for part in ("", "/log", "/report", "/script")]
    for path in ("", "/executions", *of_run):
        assert refused(server, own, "GET", f"{at}{path}")
    for path in ("/revisions", "/revisions/1"):
        assert refused(server, own, "GET", f"{at}{path}")
    assert refused(server, own, "POST", f"{JOBS}/verify", {"jobId": secret["jobId"]})
    assert not refused(server, own, "GET", f"{JOBS}/{plain['jobId']}")


def test_a_deleted_job_is_kept_from_those_who_could_not_view_it(server: Server) -> None:
    job = server.made(name="secret")
    server.ask("DELETE", f"{JOBS}/{job['jobId']}")
    own = key(server, deny=("View/*@secret",))
    assert refused(server, own, "GET", f"{JOBS}/{job['jobId']}/executions")


DATA = Grants(read=("bucket/in",), write=("bucket/out",))


def job(read: str, write: str, **more: object) -> dict[str, object]:
    """A job that copies."""
    fields = [{"name": "id", "type": "bigint"}]

    def node(id_: int, type_: str, prefix: str, parents: list[int]) -> dict[str, object]:
        place = {"regionNo": "1", "bucketName": "bucket", "prefix": prefix, "dataType": "CSV", "fieldList": fields}
        return {"id": id_, "name": f"n{id_}", "type": type_, "parentNodeIds": parents, **place}

    nodes = [node(1, "SOURCE_OBS", read, []), node(2, "TARGET_OBS", write, [1])]
    return {"name": "copy", "nodes": nodes, **more}


@proves("ServiceError.errors.client-unauthorized")
@pytest.mark.parametrize(
    ("read", "write", "nodes"),
    [("in", "out", []), ("in/2025", "out/a", []), ("in2", "out", [1]), ("out", "in", [1, 2]), ("", "out", [1])],
)
def test_a_job_over_data_that_is_not_granted_is_refused_with_its_nodes(
    server: Server, read: str, write: str, nodes: list[int]
) -> None:
    own = key(server, grants=DATA)
    for path in (JOBS, f"{JOBS}/verify"):
        answer = server.ask("POST", path, job(read, write), role=own)
        if not nodes:
            assert answer.status_code in (200, 201), answer.text
            continue
        assert (answer.status_code, answer.json()["errorType"]) == (400, "client-unauthorized")
        assert answer.json()["detail"].startswith(f"You don't have permissions. node 'n{nodes[0]}'")
        assert [problem["nodeId"] for problem in answer.json()["problems"]] == nodes


def test_whoever_executes_a_job_needs_the_grants_for_what_it_touches(server: Server) -> None:
    made = server.ask("POST", JOBS, job("secrets", "out")).json()
    own = key(server, grants=DATA)
    at = f"{JOBS}/{made['jobId']}/executions"
    answer = server.ask("POST", at, {}, role=own)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "client-unauthorized")
    assert [problem["nodeId"] for problem in answer.json()["problems"]] == [1]
    assert server.ask("GET", at).json()["count"] == 0


def test_a_parameter_leads_no_run_out_of_what_is_granted(server: Server) -> None:
    day = {"name": "day", "type": "segment"}
    own = key(server, grants=Grants(read=("bucket/in/a",), write=("bucket/out",)))
    made = server.ask("POST", JOBS, job("in/${day}", "out", parameters=[day]), role=own)
    assert made.status_code == 201, made.text
    at = f"{JOBS}/{made.json()['jobId']}/executions"
    assert server.ask("POST", at, {"parameters": {"day": "a"}}, role=own).status_code == 200
    answer = server.ask("POST", at, {"parameters": {"day": "b"}}, role=own)
    assert answer.json()["errorType"] == "client-unauthorized"


def test_the_rights_of_whoever_executes_stay_with_the_execution(server: Server) -> None:
    own = key(server, grants=DATA)
    made = server.ask("POST", JOBS, job("in", "out"), role=own).json()
    server.ask("POST", f"{JOBS}/{made['jobId']}/executions", {}, role=own)
    assert server.claim().grants == DATA.as_json()
    server.executed(server.made()["jobId"])
    assert server.claim().grants is None


def test_scripts_and_logs_go_only_where_the_key_may_write_or_to_their_usual_place(server: Server) -> None:
    own = key(server, grants=DATA)
    made = server.ask("POST", JOBS, job("in", "out", jobCondition={"logPath": "bucket/out/logs"}), role=own)
    assert made.status_code == 201, made.text
    at = f"{JOBS}/{made.json()['jobId']}"
    sound = job("in", "out")
    for method, path in (
        ("PUT", f"{at}/executions"),
        ("POST", f"{at}/executions"),
        ("PATCH", at),
        ("POST", f"{JOBS}/verify"),
    ):
        body = sound | {"jobCondition": {"scriptPath": "bucket/in", "logPath": "others"}}
        answer = server.ask(method, path, body, role=own)
        assert answer.json()["errorType"] == "client-unauthorized", answer.text
        fields = [problem["field"] for problem in answer.json()["problems"]]
        assert fields == ["jobCondition.scriptPath", "jobCondition.logPath"]


def test_using_an_nrn_is_a_right_of_its_own(server: Server) -> None:
    own = key(server, grants=Grants(("*",), ("*",), ("nrn:team:*",)))
    given = {"jobCondition": {"nrn": "nrn:other:1"}}
    assert server.ask("POST", JOBS, job("in", "out", **given), role=own).json()["errorType"] == "client-unauthorized"
    mine = {"jobCondition": {"nrn": "nrn:team:1"}}
    assert server.ask("POST", JOBS, job("in", "out", **mine), role=own).status_code == 201


def test_a_viewer_may_verify_any_job(server: Server) -> None:
    assert server.ask("POST", f"{JOBS}/verify", job("in", "out"), role="viewer").text == "true"


def test_once_an_nrn_has_credentials_another_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_text('[storages.team]\nendpoint = "127.0.0.1:1"\nnrn = ["nrn:team:1"]\n')
    server = Server.start(tmp_path)
    mine, other = ({"jobCondition": {"nrn": nrn}} for nrn in ("nrn:team:1", "nrn:team:2"))
    made = server.ask("POST", JOBS, job("in", "out", **mine))
    assert made.status_code == 201, made.text
    at = f"{JOBS}/{made.json()['jobId']}"
    for method, path, body in (
        ("POST", JOBS, {**job("in", "out", **other), "name": "another"}),
        ("POST", f"{JOBS}/verify", job("in", "out", **other)),
        ("PATCH", at, other),
        ("PUT", f"{at}/executions", other),
        ("POST", f"{at}/executions", other),
    ):
        answer = server.ask(method, path, body)
        assert (answer.status_code, answer.json()["errorType"]) == (400, "client-unauthorized"), path
        assert answer.json()["problems"][0]["field"] == "jobCondition.nrn"
    assert server.ask("GET", at).headers["etag"] == '"1"'
    assert server.ask("POST", f"{at}/executions", {}).status_code == 200
    server.database.dispose()


def test_what_rules_and_grants_refuse_is_written_down(server: Server) -> None:
    made = server.ask("POST", JOBS, job("secrets", "out")).json()["jobId"]
    own = key(server, "View/*", "Change/*@copy", grants=DATA)
    other = server.made(name="other")["jobId"]
    server.ask("POST", f"{JOBS}/{made}/executions", {}, role=own)
    server.ask("DELETE", f"{JOBS}/{other}", role=own)
    rows = server.ask("GET", "/api/v1/audit?result=denied").json()["list"]
    assert [(row["action"], row["resource"]) for row in rows] == [
        ("Change/deleteJob", f"jobs/{other}"),
        ("Change/executeJob", f"jobs/{made}/executions"),
    ]
    assert "bucket/secrets" in rows[1]["detail"]["reason"]
    assert rows[0]["detail"]["reason"] == "The key's rights do not allow Change/deleteJob for job other."
