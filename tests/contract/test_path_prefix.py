"""A server below a path of a proxy: what is signed is what the client sent, whatever arrives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server


@pytest.fixture
def below(tmp_path: Path) -> Iterator[Server]:
    server = Server.start(tmp_path, path_prefix="/flow")
    yield server
    server.database.dispose()


@pytest.mark.parametrize("arrives", ["/flow/api/v1/jobs?name=a%2Fb", "/api/v1/jobs?name=a%2Fb"])
def test_the_prefix_is_signed_and_may_be_taken_away(below: Server, arrives: str) -> None:
    signed = below.signature("GET", "/flow/api/v1/jobs?name=a%2Fb", below.held["manager"])
    assert below.send("GET", arrives, headers=signed).status_code == 200


@pytest.mark.parametrize("arrives", ["/flow/api/v1/jobs", "/api/v1/jobs"])
def test_a_signature_without_the_prefix_is_invalid(below: Server, arrives: str) -> None:
    signed = below.signature("GET", "/api/v1/jobs", below.held["manager"])
    assert below.send("GET", arrives, headers=signed).status_code == 401


@pytest.mark.parametrize("path", ["/flower/api/v1/jobs", "/flow/flow/api/v1/jobs", "/flowing", "/FLOW/api/v1/jobs"])
def test_what_only_looks_like_the_prefix_is_no_url(below: Server, path: str) -> None:
    assert below.send("GET", path).status_code == 404


def test_the_page_and_the_description_are_below_it_too(below: Server) -> None:
    for path in ("/flow/docs", "/flow/docs/docs.js", "/docs", "/flow/livez", "/flow/readyz"):
        assert below.send("GET", path).status_code == 200
    assert below.send("GET", "/flow/openapi.json").json()["servers"] == [{"url": "/flow"}]
