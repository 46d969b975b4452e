"""Requests made from the API's own description: no answer is a failure of ours, and each is as it is described.

`HEADRACE_DESCRIBED_EXAMPLES` says how many there are for each operation.
"""

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests
import schemathesis
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode

from headrace.api.naver.contract import described
from tests.support.server import Server

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("HEADRACE_DESCRIBED_EXAMPLES", "12"))
HELD = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
NAMES = (f"job{number}" for number in count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all: what one request leaves is what the next one meets."""
    started = Server.start(tmp_path_factory.mktemp("described"), rate_limit="0")
    yield started
    started.database.dispose()


def sent(server: Server, case: Any) -> Response:
    """Send a case, signed."""
    request = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
    assert request.body is None or isinstance(request.body, str | bytes)
    body = request.body.encode() if isinstance(request.body, str) else request.body
    method, target, headers = (
        str(request.method),
        request.path_url,
        {str(k): str(v) for k, v in request.headers.items()},
    )
    signed = server.signature(method, target, server.held["manager"])
    return server.send(method, target, content=body, headers={**headers, **signed})


def named(server: Server, case: Any) -> None:
    """Let a case mean a job and an execution that there are."""
    job_id = server.made(name=next(NAMES))["jobId"]
    made = {"jobId": lambda: job_id, "executionId": lambda: server.executed(job_id)["jobExecutionId"]}
    case.path_parameters = {
        name: made[name]() if name in made else given for name, given in case.path_parameters.items()
    }


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.label))
def test_every_answer_is_as_it_is_described(server: Server, operation: Any, mode: GenerationMode) -> None:
    checks = CHECKS.get_by_names(HELD)

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        if known and case.path_parameters:
            named(server, case)
        answer = sent(server, case)
        if answer.status_code == 501:
            assert answer.json()["errorType"].startswith("not-implemented/")
        case.validate_response(answer, checks=checks[answer.status_code == 501 :])

    ask()
