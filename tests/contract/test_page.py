"""The description of the API, and the page that shows it."""

import re
from pathlib import Path

import pytest

from headrace.api.naver.operations import OPERATIONS
from headrace.nodes import registry
from tests.support.server import Server


def test_every_operation_is_described_once(server: Server) -> None:
    described = server.send("GET", "/openapi.json").json()
    found = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert found == {(operation.method, operation.path) for operation in OPERATIONS}
    ids = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    text = server.send("GET", "/openapi.json").text
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(described["components"]["schemas"])


def test_what_is_asked_for_is_described_in_words_and_nodes_by_their_types(server: Server) -> None:
    described = server.send("GET", "/openapi.json").json()
    operations = [operation for item in described["paths"].values() for operation in item.values()]
    queries = [each for operation in operations for each in operation["parameters"] if each["in"] != "path"]
    assert all(each["description"] for each in queries)
    assert all("Needs the right" in operation["description"].splitlines()[-1] for operation in operations)
    schemas = described["components"]["schemas"]
    for body in ("JobBody", "JobChange", "JobUpdate", "JobToVerify"):
        assert schemas[body]["properties"]["nodes"]["items"] == {"$ref": "#/components/schemas/JobNode"}
    mapping = schemas["JobNode"]["discriminator"]["mapping"]
    assert set(mapping) == set(registry())
    assert all("type" in schemas[place.rsplit("/", 1)[-1]]["required"] for place in mapping.values())


def test_who_opens_the_address_of_the_server_finds_the_page(server: Server, tmp_path: Path) -> None:
    answer = server.send("GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    (tmp_path / "other").mkdir()
    other = Server.start(tmp_path / "other", path_prefix="/flow")
    assert other.send("GET", "/flow/").headers["location"] == "/flow/docs"
    other.database.dispose()


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/docs.js", "/docs/nexusone", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]
)
def test_the_page_and_its_files_come_from_the_server(server: Server, path: str) -> None:
    answer = server.send("GET", path)
    assert answer.status_code == 200
    assert len(answer.content) > 500


def test_the_page_names_no_outside_address(server: Server) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/nexusone", "/docs/nexusone.js"):
        assert "http" not in server.send("GET", path).text


def test_the_page_of_nexusones_dialect_gets_its_tokens_here_or_says_whose_it_takes(
    server: Server, tmp_path: Path
) -> None:
    found = server.send("GET", "/docs/nexusone.json").json()
    schemes = found["components"]["securitySchemes"]
    assert schemes["OAuth2"]["flows"]["clientCredentials"]["tokenUrl"] == "/oauth/token"
    assert schemes["AuthorizationPSK"] == {"type": "apiKey", "in": "header", "name": "Authorization-PSK"}
    assert found["security"] == [{"OAuth2": []}, {"AuthorizationPSK": []}]
    assert {"get", "post", "delete"} <= set(found["paths"]["/api/user/psk"])
    (tmp_path / "other").mkdir()
    other = Server.start(tmp_path / "other", oidc_issuer="https://sso.example.org/realms/main", path_prefix="/flow")
    found = other.send("GET", "/docs/nexusone.json").json()
    assert "https://sso.example.org/realms/main" in found["components"]["securitySchemes"]["OAuth2"]["description"]
    assert found["servers"] == [{"url": "/flow"}]
    other.database.dispose()
