"""The server as its operator meets it: TLS, a path of its own, figures, logs, backups, the end of it."""

import json
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import trustme

from tests.support.command import Place
from tests.support.serving import Served, served
from tests.support.waiting import until
from tests.support.work import copying, endless, put_rows


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.made(tmp_path)


def shown_by(server: Served) -> bytes:
    """The certificate that is shown to who connects now."""
    host, port = server.url.removeprefix("https://").split(":")
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port))) as plain, anyone.wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True) or b""


def text(server: Served, path: str, **headers: str) -> tuple[int, str]:
    """An answer to an unsigned request."""
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_certificate_of_its_own_making_is_trusted_by_who_was_given_it(place: Place) -> None:
    with served(place, "--tls", "self-signed") as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert (place.root / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600
        job_id = server.made(copying())
        assert server.wait(job_id, server.executed(job_id)) == "COMPLETED"
        told = re.search(r"certificate=([0-9A-F:]+)", server.said[-1] if server.said else "")
        assert told is None or len(told[1]) == 95
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            text(server, "/livez")
        done = place.call("jobs", "list", **{**server.environment(), "HEADRACE_CA_FILE": ""})
        assert (done.code, "set ca_file to it" in done.error) == (1, True)
        assert place.call("jobs", "list", "--json", **server.environment()).json[0]["jobId"] == job_id
        first = (place.root / "tls" / "cert.pem").read_bytes()
        assert server.stop() == 0
    assert (place.root / "tls" / "cert.pem").read_bytes() == first


def test_a_renewed_certificate_is_shown_after_a_hangup_and_a_broken_one_is_not(place: Place) -> None:
    authority, cert, key = trustme.CA(), place.root / "cert.pem", place.root / "key.pem"

    def renew() -> None:
        made = authority.issue_cert("127.0.0.1")
        made.private_key_pem.write_to_path(key)
        cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))

    renew()
    with served(place, "--tls-cert", str(cert), "--tls-key", str(key)) as server:
        before = shown_by(server)
        renew()
        assert shown_by(server) == before
        server.process.send_signal(signal.SIGHUP)
        until(lambda: shown_by(server) != before)
        renewed = shown_by(server)
        cert.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: any("stays as it was" in line for line in server.said))
        assert shown_by(server) == renewed
        assert server.stop() == 0


def test_a_certificate_that_can_not_be_used_is_told_before_anything_begins(place: Place) -> None:
    (place.root / "cert.pem").write_text("no certificate")
    done = place.call("serve", "--port", "0", "--tls-cert", "cert.pem", "--tls-key", "cert.pem")
    assert (done.code, done.error.startswith("cert.pem and cert.pem: ")) == (1, True)
    assert place.call("serve", "--port", "0", "--tls-cert", "cert.pem").code == 2
    assert not (place.root / "headrace.db").exists()


@pytest.mark.parametrize("strips", [True, False], ids=["the proxy takes it away", "the proxy leaves it"])
def test_a_signature_over_the_prefix_holds_whatever_the_proxy_does(place: Place, strips: bool) -> None:
    with served(place, HEADRACE_PATH_PREFIX="/flow") as server:
        assert server.url.endswith("/flow")
        bare = server.url.removesuffix("/flow")
        # What a client of the proxy signs is the path with the prefix; what arrives may be without it.
        environment = {**server.environment(), "HEADRACE_URL": server.url}
        assert place.call("jobs", "list", "--json", **environment).json == []
        asked = place.call("jobs", "list", "--json", **{**environment, "HEADRACE_URL": bare})
        assert (asked.code, "Authentication Failed" in asked.error) == (1, True)
        at = bare if strips else server.url
        with urllib.request.urlopen(f"{at}/openapi.json", timeout=30) as answer:
            assert json.load(answer)["servers"] == [{"url": "/flow"}]
        assert text(server, "/docs")[0] == 200


def test_figures_tell_what_was_asked_and_run(place: Place) -> None:
    with served(place) as server:
        job_id = server.made(copying())
        server.wait(job_id, server.executed(job_id))
        wanted = {
            'headrace_executions_ended_total{status="COMPLETED"} 1.0',
            'headrace_attempt_seconds_count{outcome="COMPLETED"} 1.0',
            "headrace_queue_wait_seconds_count 1.0",
            "headrace_leases_lost_total 0.0",
            'headrace_executions{status="RUNNING"} 0.0',
            'headrace_requests_total{operation="createJob",status="201"} 1.0',
            "headrace_database_up 1.0",
        }
        # An attempt is counted a moment after its end can be seen.
        until(lambda: wanted <= set(text(server, "/metrics")[1].splitlines()))
        assert text(server, "/metrics", **{"X-Forwarded-For": "192.0.2.1"})[0] == 401


def test_the_log_is_a_json_object_a_line_with_the_trace_and_without_secrets(place: Place) -> None:
    with served(place, HEADRACE_LOG_FORMAT="json", HEADRACE_LOG_LEVEL="debug") as server:
        answer = server.ask("GET", "/api/v1/jobs?name=a%0Ab")
        job_id = server.made(copying())
        execution_id = server.executed(job_id)
        assert server.wait(job_id, execution_id) == "COMPLETED"
        assert server.stop() == 0
        until(lambda: any("Headrace ends" in line for line in server.said))
    events = [json.loads(line) for line in server.said]
    (asked,) = [each for each in events if each.get("trace") == answer.headers["x-ncp-trace-id"]]
    assert {key: asked[key] for key in ("event", "level", "method", "target", "status", "operation", "key")} == {
        "event": "request",
        "level": "debug",
        "method": "GET",
        "target": "/api/v1/jobs?name=a%0Ab",
        "status": 200,
        "operation": "getJobs",
        "key": server.access_key,
    }
    (ended,) = [each for each in events if each["event"] == "an attempt ended"]
    assert (ended["execution"], ended["job"], ended["status"]) == (execution_id, job_id, "COMPLETED")
    assert server.secret not in "".join(server.said)


def test_a_request_under_way_is_answered_when_the_server_is_told_to_end(place: Place) -> None:
    with served(place) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            body = b'{"name": "late"}'
            head = f"POST /api/v1/jobs HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(body)}\r\n"
            connection.sendall(head.encode() + signature(server, "POST", "/api/v1/jobs") + b"\r\n" + body[:4])
            until(lambda: answers(server))
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not answers(server))
            connection.sendall(body[4:])
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
        assert server.process.wait(timeout=30) == 0


def signature(server: Served, method: str, target: str) -> bytes:
    from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign

    now = str(int(time.time() * 1000))
    signed = sign(method, target, timestamp=now, access_key=server.access_key, secret=server.secret)
    named = {TIMESTAMP: now, ACCESS_KEY: server.access_key, SIGNATURE: signed}
    return "".join(f"{name}: {value}\r\n" for name, value in named.items()).encode()


def answers(server: Served) -> bool:
    try:
        return text(server, "/livez")[0] == 200
    except OSError:
        return False


def test_a_backup_that_is_made_while_runs_go_on_gives_the_same_jobs_and_executions(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Place.made(tmp_path_factory.mktemp("other"))
    with served(place) as server:
        job_id = server.made(copying())
        done = server.executed(job_id)
        server.wait(job_id, done)
        for _ in range(5):
            server.executed(job_id)
        made = place.call("db", "backup", str(place.root), "--json")
        assert made.code == 0, made.err
        held = place.call("db", "restore", made.json["file"], "--force")
        assert (held.code, held.error) == (1, "a server or worker works with the database; stop all of them first")
        before = server.execution(job_id, done)
        assert server.stop() == 0
    backup = Path(made.json["file"])
    assert backup.stat().st_mode & 0o777 == 0o600
    restored = other.call("db", "restore", str(backup), "--json")
    assert restored.json == {"schema": restored.json["schema"], "upgraded": False, "secretsReadable": False}
    assert "secret.key" in restored.err
    (other.root / "secret.key").write_bytes((place.root / "secret.key").read_bytes())
    (other.root / "secret.key").chmod(0o600)
    again = other.call("db", "restore", str(backup), "--json")
    assert (again.code, "has jobs or keys" in again.err) == (1, True)
    assert other.call("db", "restore", str(backup), "--force", "--json").json["secretsReadable"] is True
    (other.root / "first-key.txt").write_text(f"access key: {server.access_key}\nsecret key: {server.secret}\n")
    with served(other) as server:
        assert server.execution(job_id, done) == before
        # What waited when the backup was made is run by the server that was given it.
        found = server.ask("GET", f"/api/v1/jobs/{job_id}/executions").json()
        assert found["count"] == 6
        for each in found["list"]:
            assert server.wait(job_id, each["jobExecutionId"]) == "COMPLETED"


def test_the_doctor_finds_the_server_and_what_is_wrong(place: Place) -> None:
    with served(place) as server:
        port = server.url.rpartition(":")[2]
        found = place.call("doctor", "--json", HEADRACE_PORT=port)
        told = {each["part"]: (each["state"], each["message"]) for each in found.json}
        assert found.code == 0
        assert told["port"] == ("ok", f"a Headrace server answers at 127.0.0.1 port {port}")
        assert told["queue"] == ("ok", "0 wait, 0 run, a server or worker is there")
        assert told["access keys"] == ("ok", "1 active")
        assert told["first key"][0] == "warn"
        assert server.stop() == 0
    (place.root / "secret.key").chmod(0o644)
    found = place.call("doctor")
    assert (found.code, "chmod 600" in found.out) == (1, True)


def test_it_is_ready_after_little_time_of_its_own(place: Place) -> None:
    with served(place) as server:
        ticks = [int(word) for word in Path(f"/proc/{server.process.pid}/stat").read_text().split()[13:15]]
        hertz = int(subprocess.run(["getconf", "CLK_TCK"], capture_output=True, text=True, check=True).stdout)
        # Its time on a processor, of which it needs about a second: the clock on the wall tells of the others too.
        assert sum(ticks) / hertz < 4.0
        assert text(server, "/readyz") == (200, '{"status":"ready"}')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_waiting_for_a_server_leaves_the_run_alone(place: Place, number: signal.Signals) -> None:
    put_rows(place)
    with served(place) as server:
        job_id = server.made(endless(), "slow")
        process = place.start("jobs", "run", "slow", **server.environment())
        until(lambda: (place.lake / "out" / "_headrace").exists())
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 128 + number
        assert "the execution goes on" in err
        (execution,) = place.call("jobs", "executions", "slow", "--json", **server.environment()).json
        assert execution["status"] == "RUNNING"
        assert place.call("jobs", "cancel", "slow", **server.environment()).code == 0
        assert server.wait(job_id, execution["jobExecutionId"]) == "CANCELED"


def test_a_server_that_is_told_to_end_while_it_begins_ends(place: Place) -> None:
    for _ in range(3):
        process = place.start("serve", "--port", "0")
        assert process.stderr is not None
        while "listens on" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 0
