"""The server as its users have it: a process, signed requests, runs in children; on SQLite and a folder."""

import os
import signal
import ssl
import stat
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from headrace.auth.secrets import new_key
from tests.support.command import OLD, Place
from tests.support.databases import sqlite
from tests.support.server import Key
from tests.support.serving import served, served_to
from tests.support.standing import has_ended
from tests.support.waiting import until
from tests.support.work import copying, endless, put_rows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_job_is_made_run_and_written_and_the_server_ends_when_told(place: Place) -> None:
    with served(place) as server:
        job_id = server.made(copying())
        execution_id = server.executed(job_id)
        assert server.wait(job_id, execution_id) == "COMPLETED"
        assert list(place.left().values()) == [b"id,name\n1,a\n2,b\n"]
        log = server.ask("GET", f"/api/v1/jobs/{job_id}/executions/{execution_id}/log")
        assert "wrote 2 rows, 16 bytes to lake/out" in log.text
        assert server.secret not in log.text
        children = server.children()
        assert server.stop() == 0
    assert children
    assert all(gone(pid) for pid in children)


def test_the_first_key_lies_in_a_file_that_nobody_else_may_read(place: Place) -> None:
    with served(place) as server:
        path = place.root / "first-key.txt"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert server.secret.encode() not in (place.root / "headrace.db").read_bytes()
        path.write_text("another")
        server.stop()
    with pytest.raises(IndexError), served(place):
        pass
    assert path.read_text() == "another"


def test_keys_are_made_listed_and_revoked_beside_the_server(place: Place) -> None:
    with served(place) as server:
        made = place.call("keys", "create", "--name", "console", "--role", "viewer", "--json").json
        listed = place.call("keys", "list", "--json").json
        assert [(key["name"], key["role"], key["state"]) for key in listed] == [
            ("first", "manager", "active"),
            ("console", "viewer", "active"),
        ]
        assert place.call("keys", "revoke", server.access_key).code == 0
        assert server.ask("GET", "/api/v1/jobs").status_code == 401
        assert made["accessKey"] == listed[1]["accessKey"]
        assert made["secretKey"] not in place.call("keys", "list").out
        assert place.call("keys", "revoke", "NOBODY").code == 1


def test_a_key_has_the_rights_that_it_was_made_with_and_its_runs_are_told_when_it_is_revoked(place: Place) -> None:
    rights = ("--allow", "View/*", "--allow", "Change/executeJob@jo*", "--read", "lake/in", "--write", "lake/out")
    with served(place) as server:
        job_id = server.made(copying())
        made = place.call("keys", "create", "--name", "nightly", *rights, "--json").json
        nightly = replace(server, access_key=made["accessKey"], secret=made["secretKey"])
        assert nightly.ask("DELETE", f"/api/v1/jobs/{job_id}").status_code == 401
        assert nightly.wait(job_id, nightly.executed(job_id)) == "COMPLETED"
        shown = place.call("keys", "show", made["accessKey"], "--json").json
        assert (shown["allow"], shown["read"]) == (["View/*", "Change/executeJob@jo*"], ["lake/in"])
        put_rows(place)
        slow = server.made(endless(), "jo-slow")
        running = nightly.executed(slow)
        server.wait(slow, running, "RUNNING")
        assert "1 run of this key" in place.call("keys", "revoke", made["accessKey"]).out
        assert place.call("keys", "revoke", made["accessKey"], "--cancel-runs").out == "1 run cancelled\n"
        assert server.wait(slow, running) == "CANCELED"
        told = place.call("audit", "list", "--json").json
    assert [(row["action"], row["result"]) for row in reversed(told)] == [
        ("Change/createKey", "done"),
        ("Change/createJob", "done"),
        ("Change/createKey", "done"),
        ("Change/deleteJob", "denied"),
        ("Change/executeJob", "done"),
        ("Change/createJob", "done"),
        ("Change/executeJob", "done"),
        ("Change/revokeKey", "done"),
        ("Change/revokeKey", "done"),
    ]
    assert made["secretKey"] not in str(told)


def test_a_key_can_not_be_made_with_rules_about_nothing(place: Place) -> None:
    for wrong in (("--allow", "Chnage/*"), ("--read", "lake/../x"), ("--role", "owner")):
        assert place.call("keys", "create", "--name", "a", *wrong).code == 2
    assert place.call("keys", "list", "--json").json == []


def test_the_first_key_may_be_given_and_secrets_are_sealed_again_under_a_new_key(place: Place) -> None:
    path = place.root / "given.txt"
    path.write_text("a-secret-of-their-own\n")
    given = {"HEADRACE_FIRST_ACCESS_KEY": "FIRSTKEY00000001", "HEADRACE_FIRST_SECRET_KEY_FILE": str(path)}
    half = place.call("serve", "--port", "0", HEADRACE_FIRST_ACCESS_KEY="FIRSTKEY00000001")
    assert (half.code, "first_secret_key" in half.err) == (2, True)
    key = Key("FIRSTKEY00000001", "a-secret-of-their-own")
    with served_to(place, key, **given) as server:
        assert server.ask("GET", "/api/v1/jobs").status_code == 200
        assert not (place.root / "first-key.txt").exists()
        server.stop()
    keys = place.root / "secret.key"
    old = keys.read_text()
    keys.write_text(f"{new_key()}\n{old}")
    assert place.call("keys", "rotate").out.startswith("1 secret encrypted again")
    keys.write_text(keys.read_text().replace(old, ""))
    with served_to(place, key) as server:
        assert server.ask("GET", "/api/v1/jobs").status_code == 200


def test_a_cancel_ends_the_run_and_its_process(place: Place) -> None:
    put_rows(place)
    with served(place) as server:
        job_id = server.made(endless())
        execution_id = server.executed(job_id)
        server.wait(job_id, execution_id, "RUNNING")
        until(lambda: (place.lake / "out" / "_headrace").exists())
        (child,) = server.children()
        answer = server.ask("POST", f"/api/v1/jobs/{job_id}/executions/{execution_id}/cancel")
        assert answer.status_code < 300, answer.text
        assert server.wait(job_id, execution_id) in ("CANCELED", "CANCELLED", "STOPPED")
        until(lambda: gone(child))
    assert place.left()["old.csv"] == OLD


@pytest.mark.fault
def test_a_run_whose_process_is_killed_goes_on_in_another(place: Place) -> None:
    put_rows(place)
    with served(place) as server:
        job_id = server.made(endless())
        execution_id = server.executed(job_id)
        until(lambda: (place.lake / "out" / "_headrace").exists())
        (child,) = server.children()
        os.kill(child, signal.SIGKILL)
        until(lambda: gone(child) and bool(server.children()))
        until(lambda: (place.lake / "out" / "_headrace" / f"{execution_id}-2").exists())
        assert server.execution(job_id, execution_id)["status"] == "RUNNING"


@pytest.mark.fault
def test_a_server_that_is_killed_leaves_no_process_and_its_run_ends_after_the_next_start(place: Place) -> None:
    put_rows(place, 2_000)
    with served(place) as server:
        slow, quick = server.made(endless(), "slow"), server.made(copying(), "quick")
        first = server.executed(slow)
        until(lambda: (place.lake / "out" / "_headrace").exists())
        second = server.executed(quick)
        children = server.children()
        server.process.kill()
        server.process.wait()
        until(lambda: all(has_ended(pid) for pid in children))
    with served(place) as server:
        until(lambda: (place.lake / "out" / "_headrace" / f"{first}-2").exists())
        assert server.ask("POST", f"/api/v1/jobs/{slow}/executions/{first}/cancel").status_code < 300
        assert server.wait(quick, second) == "COMPLETED"
        assert server.stop() == 0


def test_a_server_that_is_told_to_end_at_once_ends(place: Place) -> None:
    with served(place) as server:
        assert server.stop() == 0


def test_a_first_start_that_was_cut_short_is_made_good_by_the_next_one(place: Place) -> None:
    with sqlite(place.root, upgraded=False) as database:
        assert database.is_empty()
    assert (place.root / "headrace.db").exists()
    with served(place) as server:
        assert server.ask("GET", "/api/v1/jobs").status_code == 200


def test_a_port_that_is_taken_is_told(place: Place) -> None:
    with served(place) as server:
        port = server.url.rpartition(":")[2]
        done = place.call("serve", "--port", port)
        assert (done.code, done.error.startswith(f"can't listen on 127.0.0.1 port {port}")) == (1, True)


def test_it_takes_no_requests_of_other_machines_without_tls(place: Place) -> None:
    refused = place.call("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.code == 2
    assert "insecure_http" in refused.err


def test_a_client_comes_in_by_a_token_over_tls_and_by_the_key_that_it_makes(place: Place) -> None:
    with served(place, HEADRACE_TLS="self-signed", HEADRACE_HOST="localhost") as server:
        named = ("--name", "ann@example.org", "--role", "nx1_ingest", "--role", "nx1_monitor")
        made = place.call("clients", "create", *named, "--json").json
        with httpx.Client(base_url=server.url, verify=ssl.create_default_context(cafile=server.ca_file)) as web:
            form = {"grant_type": "client_credentials"}
            answer = web.post("/oauth/token", data=form, auth=(made["clientId"], made["clientSecret"]))
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
            described = web.get("/.well-known/openid-configuration").json()
            assert described["issuer"] == server.url
            bearer = {"authorization": f"Bearer {token}"}
            key = web.post("/api/user/psk", headers=bearer).json()["psk"]
            assert web.get("/api/user/psk", headers={"authorization-psk": key}).json()["user_id"] == "ann@example.org"
            assert (
                web.get("/api/user/psk", headers={"authorization": f"Bearer {token[:-8]}AAAAAAAA"}).status_code == 401
            )
            listed = place.call("clients", "list", "--json").json
            roles = ["nx1_ingest", "nx1_monitor"]
            assert [(c["name"], c["roles"], c["state"]) for c in listed] == [("ann@example.org", roles, "active")]
            assert place.call("clients", "revoke", made["clientId"]).code == 0
            assert web.get("/api/user/psk", headers={"authorization-psk": key}).status_code == 401
            assert web.post("/api/user/psk", headers=bearer).status_code == 409
        log = "".join(server.said)
    for secret in (made["clientSecret"], token, key):
        assert secret not in log
        assert secret.encode() not in (place.root / "headrace.db").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--name", "a", "--role", "manager"), "there is no role 'manager'"),
        (("--name", "a"), "at least one role"),
        (("--name", "a b", "--role", "nx1_ask"), "can't be the name of a client"),
    ],
)
def test_a_client_can_not_be_made_wrong(place: Place, arguments: tuple[str, ...], told: str) -> None:
    done = place.call("clients", "create", *arguments)
    assert (done.code, told in done.error) == (2, True)
