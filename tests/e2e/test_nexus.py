"""NexusOne's dialect as a program uses it: `headrace serve`, a client's token, jobs that really run."""

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headrace.clock import SystemClock
from headrace.core import clients
from headrace.db.session import Database
from tests.support.command import Place
from tests.support.jobs import node
from tests.support.looking import files_under
from tests.support.nexus import ALL, form, ingest, query
from tests.support.proving import proves
from tests.support.serving import Served, served
from tests.support.waiting import until


def client_of(server: Served, root: Path) -> httpx.Client:
    """A client with a token of the built-in issuer."""
    database = Database.open(f"sqlite:///{root / 'headrace.db'}")
    with database.transaction() as con:
        made, secret = clients.create(con, account_id="main", name="ann", roles=ALL, now=SystemClock().now())
    database.dispose()
    form = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": secret}
    trusted = ssl.create_default_context(cafile=server.ca_file or None)
    token = httpx.post(f"{server.url}/oauth/token", data=form, timeout=30, verify=trusted).json()["access_token"]
    return httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}, timeout=30, verify=trusted)


def made(client: httpx.Client, body: dict[str, Any]) -> str:
    answer = client.post("/api/jobs", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def ran(client: httpx.Client, job: str) -> tuple[str, str | None]:
    """What a job says after a run of it has ended."""
    assert client.post(f"/api/jobs/{job}/trigger").status_code == 200
    return ended(client, job)


def ended(client: httpx.Client, job: str) -> tuple[str, str | None]:
    """The same, for a run that was begun already."""
    told: dict[str, Any] = {}

    def has_ended() -> bool:
        told.update(client.get(f"/api/jobs/{job}").json())
        return bool(told["status"] != "running")

    until(has_ended, limit=60)
    return told["status"], told["status_message"]


def rows(place: Place, table: str) -> list[tuple[object, ...]]:
    (file,) = (place.root / "buckets" / "warehouse" / table).glob("*.parquet")
    return sorted(tuple(row.values()) for row in pyarrow.parquet.read_table(file).to_pylist())


@proves("nexusone.merge")
def test_jobs_fill_tables_by_merge_and_by_query(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    place.put("raw/a.csv", "id,name,qty\n1,a,5\n2,b,6\n")
    changes = [
        {"column": "name", "transformation_type": "rename", "new_name": "label"},
        {"column": "qty", "transformation_type": "cast", "target_type": "long"},
    ]
    properties = {"mode": "merge", "merge_keys": ["id"], "column_transformations": changes}
    with served(place) as server, client_of(server, place.root) as client:
        job = made(client, ingest(properties))
        assert ran(client, job) == ("completed", None)
        place.put("raw/a.csv", "id,name,qty\n2,B,7\n3,c,8\n")
        assert ran(client, job) == ("completed", None)
        assert rows(place, "sales/orders") == [(1, "a", 5), (2, "B", 7), (3, "c", 8)]
        place.put("raw/a.csv", "id,name,qty\n2,B,7\n2,c,8\n")
        status, message = ran(client, job)
        assert (status, message) == ("failed", "among the rows to merge, the key (2) stands twice")
        sums = made(client, query("SELECT count(*) AS n, sum(o.qty) AS qty FROM sales.orders o"))
        assert ran(client, sums) == ("completed", None)
        assert rows(place, "sales/sums") == [(3, 20)]
        told = client.get(f"/api/jobs/{job}/result?limit=2").json()
        columns = [
            {"name": "id", "type": "int"},
            {"name": "label", "type": "string"},
            {"name": "qty", "type": "bigint"},
        ]
        assert (told["start"], told["row_count"], told["columns"], told["next_start"]) == (0, 2, columns, 2)
        rest = client.get(f"/api/jobs/{job}/result?start=2").json()
        assert sorted([*told["data"], *rest["data"]]) == [[1, "a", 5], [2, "B", 7], [3, "c", 8]]
        text = json.dumps({"sql": "SELECT max(o.qty) / 4 AS share, current_date() AS day FROM sales.orders o"})
        asked = made(client, {"job_type": "airflow.nlp", "job_name": "Most", "properties_json": text})
        assert ran(client, asked) == ("completed", None)
        ((share, day),) = client.get(f"/api/jobs/{asked}/result").json()["data"]
        assert (share, len(day)) == (2.0, 10)
        assert client.delete(f"/api/jobs/{asked}").json() == "deleted"
        (place.root / "buckets" / "lake" / "raw" / "a.csv").unlink()
        status, message = ran(client, job)
        assert status == "failed"
        assert message is not None
        assert "no data under prefix 'raw'" in message
        assert json.loads(client.get("/api/jobs").text)[0]["id"] == sums


def test_an_uploaded_file_is_ingested_by_one_request_and_its_rows_by_another(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    # More than a socket holds at once, so that it comes in many pieces.
    lines = [f"{number},name {number}" for number in range(60_000)]
    with served(place) as server, client_of(server, place.root) as client:
        sent = {"file": ("orders.csv", "id,name\n" + "\n".join(lines))}
        file = client.post("/api/files/file", files=sent).json()
        assert client.get(f"/api/files/{file['id']}/content").text == sent["file"][1]
        body = {"name": "Orders", "ingesttype": "file", "schema_name": "sales", "table": "orders", "mode": "merge"}
        body |= {"merge": "id", "file_id": file["id"], "file_path": file["s3_url"], "file_format": "csv"}
        submitted = client.post("/api/dataingest/submit", json=body).json()
        assert submitted["error"] is None
        assert ended(client, submitted["job_id"]) == ("completed", None)
        few = {"name": "Few", "ingesttype": "lakehouse", "schema_name": "sales", "table": "few", "mode": "overwrite"}
        few |= {"lakehouse_sourceschema": "sales", "lakehouse_sourcetable": "orders", "lakehouse_conditions": "id < 3"}
        assert ended(client, client.post("/api/dataingest/submit", json=few).json()["job_id"]) == ("completed", None)
        assert rows(place, "sales/few") == [(0, "name 0"), (1, "name 1"), (2, "name 2")]
        assert client.delete(f"/api/files/{file['id']}").json() == "deleted"
        status, message = ran(client, submitted["job_id"])
        assert (status, "orders.csv" in str(message)) == ("failed", True)
        assert not files_under(place.root / "buckets" / "uploads")


def test_grants_are_given_and_taken_while_the_server_runs(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    place.put("raw/a.csv", "id,name\n1,a\n")
    with served(place) as server, client_of(server, place.root) as client:
        job = made(client, ingest())
        listed = place.call("grants", "list", "--json").json
        assert [(each["who"], each["use"], each["what"]) for each in listed] == [
            ("*", "read", "*"),
            ("*", "write", "*"),
        ]
        for each in listed:
            assert place.call("grants", "take", each["grant"]).code == 0
        refused = client.post(f"/api/jobs/{job}/trigger")
        assert (refused.status_code, "lake/raw" in refused.json()["detail"]) == (403, True)
        words = ("grants", "give", "a*", "--read", "lake/raw", "--write", "sales.orders", "--json")
        assert [each["what"] for each in place.call(*words).json] == ["lake/raw", "sales.orders"]
        assert ran(client, job) == ("completed", None)
        assert client.get(f"/api/jobs/{job}/result").status_code == 403
    assert "already" in place.call("grants", "give", "a*", "--read", "lake/raw").error
    assert "tables" in place.call("grants", "give", "a*", "--write", "lake/raw").error
    assert "there is no grant" in place.call("grants", "take", "nothing").error
    actions = [each["action"] for each in place.call("audit", "list", "--json").json]
    assert (actions.count("Change/giveData"), actions.count("Change/takeData")) == (2, 2)


def test_an_upload_that_is_too_large_is_told_so_and_one_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    shelf = place.root / "buckets" / "uploads"

    with served(place, HEADRACE_UPLOAD_LIMIT="1MB") as server, client_of(server, place.root) as client:
        at = httpx.URL(server.url)
        kind = form("a.csv", b"")[1]
        headers = {"authorization": client.headers["authorization"], "content-type": kind}
        for size, status in ((20_000_000, 413), (1_048_577, 413), (1_048_576, 200)):
            body, _ = form("a.csv", b"x" * size)
            # It sends all of the body before it looks for an answer, as many clients do.
            connection = http.client.HTTPConnection(at.host, at.port, timeout=60)
            connection.request("POST", "/api/files/file", body, headers)
            answer = connection.getresponse()
            assert (answer.status, bool(json.loads(answer.read()))) == (status, True)
            connection.close()
        (whole,) = files_under(shelf)
        broken = http.client.HTTPConnection(at.host, at.port, timeout=60)
        cut = {**headers, "content-length": "1000000"}
        broken.request("POST", "/api/files/file", iter([form("a.csv", b"x" * 500_000)[0]]), cut)
        until(lambda: len(files_under(shelf)) == 2, limit=30)
        broken.close()
        until(lambda: files_under(shelf) == [whole], limit=30)
        assert len(client.get("/api/files").json()) == 1
        assert not [line for line in server.said if "Traceback" in line]


def test_an_encrypted_column_goes_through_a_node_graph_and_its_key_is_nowhere(tmp_path: Path) -> None:
    place, key = Place.made(tmp_path), bytes(range(32))
    shown = base64.b64encode(key).decode()
    place.put("raw/a.csv", "id,name\n1,Zoë\n2,b\n3,\n")
    encrypt = {"column": "name", "transformation_type": "encrypt", "encryption_key_name": "people"}
    condition = {"name": "id", "operator": "LT", "value": "3"}
    nodes = [
        node("SOURCE_CATALOG", 4, (), database="sales", table="orders"),
        node("TRANSFORM_FILTER", 2, (4,), filterType="AND", filterConditionList=[condition]),
    ]
    text = json.dumps({"nodes": nodes, "mode": "merge", "merge_keys": ["id"]})
    graph = {"job_type": "airflow.dataeng", "job_name": "Low", "destination": "sales.low", "properties_json": text}
    with served(place, HEADRACE_ENCRYPTION_KEYS=f"people:{shown}") as server, client_of(server, place.root) as client:
        first, second = made(client, ingest({"column_transformations": [encrypt]})), made(client, graph)
        assert [ran(client, job) for job in (first, second, second)] == [("completed", None)] * 3
        (run,) = client.get(f"/api/jobs/{first}/runs").json()
        log = client.get(f"/api/jobs/{first}/runs/{run['id']}/log").json()["log"]
        told = client.get(f"/api/jobs/{first}").text + client.get(f"/api/jobs/{first}/result").text
    assert rows(place, "sales/orders")[2] == (3, None)
    found = {number: base64.b64decode(str(value)) for number, value in rows(place, "sales/low")}
    assert {n: AESGCM(key).decrypt(raw[:12], raw[12:], None).decode() for n, raw in found.items()} == {1: "Zoë", 2: "b"}
    left = b"".join(path.read_bytes() for path in place.root.rglob("*") if path.is_file())
    assert log
    for text in (log, told, left.decode("latin-1")):
        assert shown not in text


def test_over_tls_a_client_with_a_key_makes_runs_reads_and_deletes_a_job(tmp_path: Path) -> None:
    place = Place.made(tmp_path)
    place.put("raw/a.csv", "id,name\n1,a\n")
    # What the vendor's client can send: no source and no destination beside the properties, and a key for a token.
    text = json.dumps({"source": "s3://lake/raw", "destination": "sales.orders", "mode": "overwrite"})
    sent = {"job_name": "Orders", "job_type": "airflow.ingest", "schedule": None, "properties_json": text}
    with served(place, "--tls", "self-signed") as server, client_of(server, place.root) as client:
        assert server.url.startswith("https://")
        key = client.post("/api/user/psk", json={}).json()["psk"]
        del client.headers["authorization"]
        client.headers["authorization-psk"] = key
        job = made(client, sent)
        assert ran(client, job) == ("completed", None)
        assert rows(place, "sales/orders") == [(1, "a")]
        assert client.delete(f"/api/jobs/{job}").json() == "deleted"
        assert client.get("/api/jobs").json() == []
