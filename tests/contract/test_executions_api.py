"""The operations on executions, as they are documented."""

from headrace.execution import queue
from headrace.execution.queue import Outcome
from headrace.execution.traces import Told
from tests.support.proving import proves
from tests.support.server import Server

JOBS = "/api/v1/jobs"
ACCEPTED = [
    *("jobExecutionId", "jobId", "jobCondition", "status", "startDate", "createdDate", "runningTime"),
    *("parsedParameters", "type"),
]
ENDED = [
    *("jobExecutionId", "jobId", "jobCondition", "status", "startDate", "endDate", "createdDate", "jobName"),
    *("waitingTime", "executorNum", "runningTime", "parsedParameters", "type", "jobRevision"),
]
DATE = "2025-03-21T10:02:02+09:00"


@proves(
    "createJobExecution",
    "createJobExecution.answer.*",
    "createJobExecution.body.jobCondition",
    "getJobExecution",
    "getJobExecutions",
    "Execution.jobExecutionId",
    "Execution.jobId",
    "Execution.jobCondition",
    "Execution.startDate",
    "Execution.endDate",
    "Execution.createdDate",
    "Execution.jobName",
    "Execution.waitingTime",
    "Execution.executorNum",
    "Execution.runningTime",
    "Execution.parsedParameters",
    "Execution.status",
    "Execution.status=COMPLETED",
    "Execution.type",
    "Execution.type=JOB",
    "Condition.consoleLogPath",
    "Job.status=RUNNING",
    "Job.lastExecutionStatus",
    "Job.lastExecutionStatus=COMPLETED",
    "Job.lastExecutionDate",
    "requests.condition-of-a-run",
    "answers.parsed-parameters",
    "answers.times-in-seconds",
    "answers.start-of-an-execution",
    "answers.end-of-an-execution",
    "answers.workers-used",
    "answers.console-log-path",
    "answers.order-of-keys",
)
def test_an_execution_from_its_request_to_its_end(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}/executions"
    accepted = server.executed(job["jobId"], jobCondition={"numWorker": 3})
    run = accepted["jobExecutionId"]
    assert list(accepted) == ACCEPTED
    assert (accepted["status"], accepted["startDate"], accepted["parsedParameters"]) == ("READY", DATE, [])
    assert accepted["jobCondition"] == {
        **job["runCondition"],
        "numWorker": 3,
        "consoleLogPath": f"{job['runCondition']['logPath']}console/{job['jobId']}/{run}_2025-03-21T10:02:02.log",
    }
    server.clock.move(36)
    claimed = server.claim()
    assert server.ask("GET", f"{JOBS}/{job['jobId']}").json()["status"] == "RUNNING"
    server.log(claimed.lease_token, "one\n")
    server.log(claimed.lease_token, "two\n")
    server.clock.move(14)
    server.finish(claimed.lease_token, Outcome("COMPLETED", report={"seconds": 14}, executor_num=3))
    told = server.ask("GET", f"{at}/{run}").json()
    assert list(told) == ENDED
    assert (told["status"], told["waitingTime"], told["runningTime"]) == ("COMPLETED", 36, 14)
    assert (told["startDate"], told["endDate"], told["executorNum"]) == (DATE, "2025-03-21T10:02:52+09:00", 3)
    assert server.ask("GET", at).json() == {"list": [told], "count": 1, "page": 0, "limit": 1000}
    again = server.ask("GET", f"{JOBS}/{job['jobId']}").json()
    assert (again["status"], again["lastExecutionStatus"], again["lastExecutionDate"]) == (
        "RUNNABLE",
        "COMPLETED",
        DATE,
    )
    report = server.ask("GET", f"{at}/{run}/report").json()
    assert (report["jobRevision"], report["report"]) == (1, {"seconds": 14})
    assert [attempt["outcome"] for attempt in report["attempts"]] == ["COMPLETED"]
    log = server.ask("GET", f"{at}/{run}/log?limit=1").json()
    assert ([chunk["text"] for chunk in log["list"]], log["ended"]) == (["one\n"], False)
    rest = server.ask("GET", f"{at}/{run}/log?after={log['next']}").json()
    assert ([chunk["text"] for chunk in rest["list"]], rest["ended"]) == (["two\n"], True)


@proves(
    "Execution.status=FAILED",
)
def test_a_failure_tells_its_cause(server: Server) -> None:
    job = server.made()
    run = server.executed(job["jobId"])["jobExecutionId"]
    failure = {"code": "bad-data", "message": "no"}
    server.finish(server.claim().lease_token, Outcome("FAILED", failure=failure))
    told = server.ask("GET", f"{JOBS}/{job['jobId']}/executions/{run}").json()
    assert (told["status"], told["failure"]) == ("FAILED", failure)


@proves(
    "Execution.status=CANCELED",
    "ServiceError.errors.bad-state",
    "answers.cancel",
)
def test_an_execution_that_has_ended_can_not_be_cancelled(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}/executions/{server.executed(job['jobId'])['jobExecutionId']}"
    assert server.ask("POST", f"{at}/cancel").json() is True
    assert server.ask("GET", at).json()["status"] == "CANCELED"
    again = server.ask("POST", f"{at}/cancel")
    assert (again.status_code, again.json()["errorType"]) == (400, "bad-state")
    assert again.json()["detail"].startswith("Check the status. ")


@proves(
    "requests.execute-a-draft",
    "ServiceError.errors.bad-state",
)
def test_a_draft_can_not_be_executed(server: Server) -> None:
    job = server.made(isTemp=True)
    answer = server.ask("POST", f"{JOBS}/{job['jobId']}/executions", {})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad-state")


@proves(
    "ServiceError.errors.resource-not-found/JOB",
    "ServiceError.errors.resource-not-found/JOB_EXECUTION",
    "ServiceError.errors.resource-not-found/TRIGGER",
    "ServiceError.errors.resource-not-found/WORKFLOW",
    "refusals.resource-of-not-found",
)
def test_unknown_things_are_not_found_by_their_own_kind(server: Server) -> None:
    job, other = server.made(), server.made(name="other")
    run = server.executed(job["jobId"])["jobExecutionId"]

    def error(method: str, path: str) -> object:
        return server.ask(method, f"{JOBS}/{path}").json()["errorType"]

    assert error("GET", f"{other['jobId']}/executions/{run}") == "resource-not-found/JOB_EXECUTION"
    assert error("POST", f"{job['jobId']}/executions/{other['jobId']}/cancel") == "resource-not-found/JOB_EXECUTION"
    assert error("GET", "nobody/executions") == "resource-not-found/JOB"
    assert error("POST", f"{job['jobId']}/executions?triggerId=x") == "resource-not-found/TRIGGER"
    assert error("POST", f"{job['jobId']}/executions?workflowId=x") == "resource-not-found/WORKFLOW"


def test_a_log_can_be_followed_to_its_end_from_any_piece(server: Server) -> None:
    job = server.made()
    at = f"{JOBS}/{job['jobId']}/executions/{server.executed(job['jobId'])['jobExecutionId']}/log"
    token = server.claim().lease_token
    server.log(token, "one\n")
    server.log(token, "two\n")
    server.finish(token, Outcome("COMPLETED"))
    stream = {"accept": "text/event-stream"}
    followed = server.ask("GET", at, headers=stream)
    assert followed.headers["content-type"].startswith("text/event-stream")
    events = followed.text.strip().split("\n\n")
    assert [event.split("\n")[-2] for event in events] == ["event: log", "event: log", "event: end"]
    first = events[0].split("\n")[0].removeprefix("id: ")
    later = server.ask("GET", at, headers={**stream, "last-event-id": first}).text
    assert ("one" in later, "two" in later, later.endswith("event: end\ndata: {}\n\n")) == (False, True, True)
    assert server.ask("GET", at.replace(job["jobId"], "nobody"), headers=stream).status_code == 404


def test_the_script_is_what_the_last_attempt_ran(server: Server) -> None:
    job = server.made()
    run = server.executed(job["jobId"])["jobExecutionId"]
    at = f"{JOBS}/{job['jobId']}/executions/{run}/script"
    empty = {"jobExecutionId": run, "status": "READY", "attempt": None, "engine": None, "script": None}
    assert server.ask("GET", at).json() == empty
    token = server.claim().lease_token
    for text in ("SELECT 1;\n", "SELECT '\0\ud800';\n"):
        with server.database.transaction() as con:
            assert queue.note(con, token, Told(script=("duckdb", text)), now=server.database.now(con))
    told = {
        **empty,
        "status": "RUNNING",
        "attempt": 1,
        "engine": "duckdb",
        "script": "SELECT '\N{REPLACEMENT CHARACTER}?';\n",
    }
    assert server.ask("GET", at).json() == told
    assert server.ask("GET", at, headers={"accept": "text/plain"}).text == told["script"]
    assert server.ask("GET", at.replace(run, "nobody")).status_code == 404


def test_what_went_wrong_beside_a_run_is_told_once(server: Server) -> None:
    job = server.made()
    run = server.executed(job["jobId"])["jobExecutionId"]
    server.finish(server.claim().lease_token, Outcome("COMPLETED"))
    for _ in range(2):
        with server.database.transaction() as con:
            queue.warn(con, run, "the log is not at lake/logs", now=server.database.now(con))
    at = f"{JOBS}/{job['jobId']}/executions/{run}"
    assert server.ask("GET", at).json()["warnings"] == ["the log is not at lake/logs"]
    assert server.ask("GET", f"{at}/report").json()["warnings"] == ["the log is not at lake/logs"]
    log = server.ask("GET", f"{at}/log").json()["list"]
    assert [piece["text"] for piece in log] == ["headrace: warning: the log is not at lake/logs\n"]
