"""Who may read the figures, and that they grow with nothing that a caller sends."""

from pathlib import Path

from tests.support.server import Server


def test_without_a_token_the_figures_are_for_this_machine_alone(server: Server) -> None:
    assert server.send("GET", "/metrics").status_code == 200
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        refused = server.send("GET", "/metrics", headers={name: "192.0.2.1"})
        assert (refused.status_code, refused.json()["error"]["errorCode"]) == (401, "200")


def test_with_a_token_they_are_for_who_holds_it(tmp_path: Path) -> None:
    server = Server.start(tmp_path, environment={"HEADRACE_METRICS_TOKEN": "open sesame"})
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer "}):
        assert server.send("GET", "/metrics", headers=headers).status_code == 401
    told = server.send("GET", "/metrics", headers={"authorization": "Bearer open sesame"})
    assert (told.status_code, told.headers["content-type"].split(";")[0]) == (200, "text/plain")
    server.database.dispose()


def test_what_a_caller_makes_up_is_no_label(server: Server) -> None:
    before = len(server.send("GET", "/metrics").text.splitlines())
    for number in range(20):
        server.send("GET", f"/made-up-{number}")
        server.send("BREW", f"/api/v1/{number}")
    after = len(server.send("GET", "/metrics").text.splitlines())
    assert after - before < 40
    assert "made-up" not in server.send("GET", "/metrics").text


def test_while_the_database_is_away_that_is_told(server: Server, tmp_path: Path) -> None:
    server.executed(server.made()["jobId"])
    assert 'headrace_executions{status="READY"} 1.0' in server.send("GET", "/metrics").text
    server.database.dispose()
    for path in tmp_path.glob("headrace.db*"):
        path.unlink()
    told = server.send("GET", "/metrics")
    assert told.status_code == 200
    assert "headrace_database_up 0.0" in told.text
