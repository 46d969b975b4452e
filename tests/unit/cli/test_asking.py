import json

import pytest

from headrace.cli.asking import Refused, read
from headrace.errors import JobInvalid, Problem


def test_an_answer_is_its_json() -> None:
    assert read(200, b"true") is True
    assert read(201, b'{"jobId": "a"}') == {"jobId": "a"}


def test_problems_are_all_of_them_with_their_places() -> None:
    problem = {
        "code": "bad-field",
        "message": "is wrong",
        "hint": "mend it",
        "nodeId": 5,
        "node": "Five",
        "field": "a[0]",
    }
    body = json.dumps(
        {"errorType": "bad-parameter", "detail": "d", "problems": [problem, {"code": "c", "message": "m"}]}
    )
    with pytest.raises(JobInvalid) as caught:
        read(400, body.encode())
    assert caught.value.problems == (
        Problem("bad-field", "is wrong", "mend it", node_id=5, node="Five", field="a[0]"),
        Problem("c", "m"),
    )


def test_a_refusal_of_the_service_keeps_its_word() -> None:
    with pytest.raises(Refused, match="Unable to find") as caught:
        read(404, b'{"errorType": "resource-not-found/JOB", "detail": "{jobId=a}: Unable to find."}')
    assert (caught.value.code, caught.value.status) == ("resource-not-found/JOB", 404)


def test_a_refusal_of_the_gateway_has_its_details() -> None:
    error = {"errorCode": "200", "message": "Authentication Failed", "details": "Invalid authentication information."}
    with pytest.raises(Refused) as caught:
        read(401, json.dumps({"error": error}).encode())
    assert str(caught.value) == "Authentication Failed: Invalid authentication information."
    assert caught.value.code == "gateway-200"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"\xff"])
def test_what_is_no_answer_of_ours_says_where_to_look(body: bytes) -> None:
    with pytest.raises(Refused, match="path prefix"):
        read(502, body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b'{"error": 5}', b"{}"])
def test_an_error_of_another_shape_is_still_an_error(body: bytes) -> None:
    with pytest.raises(Refused):
        read(500, body)
