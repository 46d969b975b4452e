"""The description of the API, and the page that shows it."""

import re

import pytest

from headrace.api.naver.operations import OPERATIONS
from tests.support.server import Server


def test_every_operation_is_described_once(server: Server) -> None:
    described = server.send("GET", "/openapi.json").json()
    found = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert found == {(operation.method, operation.path) for operation in OPERATIONS}
    ids = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    text = server.send("GET", "/openapi.json").text
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(described["components"]["schemas"])


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"])
def test_the_page_and_its_files_come_from_the_server(server: Server, path: str) -> None:
    answer = server.send("GET", path)
    assert answer.status_code == 200
    assert len(answer.content) > 500


def test_the_page_names_no_outside_address(server: Server) -> None:
    for path in ("/docs", "/docs/docs.js"):
        assert "http" not in server.send("GET", path).text
