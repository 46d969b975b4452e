"""Tokens of a real, independent issuer: taken, refused, and what happens when its keys change or it is away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.oidc import Issuer, issuing
from tests.support.server import Server

pytestmark = [pytest.mark.services, pytest.mark.slow]

WHO = "/api/user/psk"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oidc")


@pytest.fixture
def issuer(packages: Path) -> Iterator[Issuer]:
    with issuing(packages) as started:
        yield started


def server_for(issuer: Issuer, folder: Path) -> Server:
    server = Server.start(folder, oidc_issuer=issuer.url)
    # The issuer lives in the real time.
    server.clock.move((datetime.now(UTC) - server.clock.now()).total_seconds())
    return server


def asked(server: Server, token: str) -> tuple[int, str]:
    answer = server.send("GET", WHO, headers={"authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("detail", "")


def test_its_tokens_are_taken_and_say_who_it_is(issuer: Issuer, tmp_path: Path) -> None:
    server = server_for(issuer, tmp_path)
    sent = {"authorization": f"Bearer {issuer.token()}"}
    assert server.send("POST", WHO, headers=sent).status_code == 200
    assert server.send("GET", WHO, headers=sent).json()["user_id"] == "alice@example.org"
    server.database.dispose()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
def test_it_may_sign_in_other_ways(packages: Path, tmp_path: Path, algorithm: str) -> None:
    with issuing(packages, algorithm=algorithm) as issuer:
        server = server_for(issuer, tmp_path)
        assert asked(server, issuer.token())[0] == 404
        server.database.dispose()


def test_what_it_says_of_others_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    server = server_for(issuer, tmp_path)
    assert asked(server, issuer.token(audience="elsewhere"))[0] == 401
    assert asked(server, issuer.token("nobody"))[0] == 403
    head, body, signature = issuer.token().split(".")
    assert asked(server, f"{head}.{body}.{signature[:-4]}AAAA")[0] == 401
    token = issuer.token()
    server.clock.move(332)
    assert asked(server, token) == (401, "the token has expired")
    server.database.dispose()


def test_after_a_rotation_its_new_tokens_are_taken_and_the_old_ones_are_not(issuer: Issuer, tmp_path: Path) -> None:
    server = server_for(issuer, tmp_path)
    old = issuer.token()
    assert asked(server, old)[0] == 404
    issuer.stop()
    issuer.start()
    new = issuer.token()
    server.clock.move(11)
    assert asked(server, new)[0] == 404
    assert asked(server, old) == (401, "the token is signed with a key that its issuer does not publish")
    server.database.dispose()


def test_while_it_is_away_what_was_learnt_goes_on_and_what_was_not_is_told(issuer: Issuer, tmp_path: Path) -> None:
    (tmp_path / "warm").mkdir()
    (tmp_path / "cold").mkdir()
    warm, cold = server_for(issuer, tmp_path / "warm"), server_for(issuer, tmp_path / "cold")
    token = issuer.token()
    assert asked(warm, token)[0] == 404
    issuer.stop()
    assert asked(warm, token)[0] == 404
    status, detail = asked(cold, token)
    assert (status, "the keys of the token's issuer can't be had" in detail) == (503, True)
    issuer.start()
    cold.clock.move(11)
    assert asked(cold, issuer.token())[0] == 404
    for each in (warm, cold):
        each.database.dispose()
