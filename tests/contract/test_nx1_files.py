"""`/api/files` of NexusOne's dialect: what comes is kept whole or not at all, and is its owner's alone."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.looking import files_under
from tests.support.nexus import ALL, Nexus, form, ingest
from tests.support.seaweed import FULL, Seaweed
from tests.support.server import Server

NOW = "2025-03-21T01:02:02.345678Z"


@pytest.fixture
def nexus(tmp_path: Path) -> Iterator[Nexus]:
    started = Nexus.start(tmp_path, upload_limit="1KB")
    yield started
    started.server.database.dispose()


def kept(nexus: Nexus) -> list[str]:
    """The objects of the bucket of uploads, hidden ones too."""
    root = nexus.folder / "buckets" / "uploads"
    return sorted(str(path.relative_to(root)) for path in files_under(root))


def rows(nexus: Nexus) -> int:
    """How many uploads the database knows, whatever their state."""
    with nexus.server.database.reading() as con:
        return int(con.exec_driver_sql("SELECT count(*) FROM uploads").scalar_one())


def test_a_file_comes_is_listed_read_and_deleted(nexus: Nexus) -> None:
    content = b"id,name\r\n1,\xc3\xa4\n--edge is no boundary\r\n"
    answer = nexus.upload("orders of may.csv", content)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    file_id = told["id"]
    assert told == {
        "id": file_id,
        "owner_id": "ann",
        "name": "orders of may.csv",
        "size": len(content),
        "bucket_name": "uploads",
        "source_url": None,
        "s3_url": f"s3://uploads/{file_id}/orders of may.csv",
        "access_count": 0,
        "created_at": NOW,
        "accessed_at": None,
    }
    assert kept(nexus) == [f"{file_id}/orders of may.csv"]
    assert nexus.told("GET", "/api/files") == [told]
    read = nexus.ask("GET", f"/api/files/{file_id}/content")
    assert read.content == content
    assert read.headers["content-length"] == str(len(content))
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''orders%20of%20may.csv"
    assert nexus.told("GET", f"/api/files/{file_id}") == {**told, "access_count": 1, "accessed_at": NOW}
    assert nexus.told("DELETE", f"/api/files/{file_id}") == "deleted"
    assert (nexus.told("GET", "/api/files"), kept(nexus), rows(nexus)) == ([], [], 0)
    nexus.refused(404, "GET", f"/api/files/{file_id}")
    nexus.refused(404, "DELETE", f"/api/files/{file_id}")


def test_a_file_is_its_owners_alone(nexus: Nexus) -> None:
    file_id = nexus.upload("a.csv", b"a").json()["id"]
    nexus.join("chief", "nx1_monitor_admin", "nx1_ingest")
    for by in ("bob", "chief"):
        assert nexus.told("GET", "/api/files", by=by) == []
        nexus.refused(403, "GET", f"/api/files/{file_id}", by=by)
        nexus.refused(403, "GET", f"/api/files/{file_id}/content", by=by)
        nexus.refused(403, "DELETE", f"/api/files/{file_id}", by=by)
    assert nexus.ask("GET", f"/api/files/{file_id}/content").content == b"a"


def test_who_may_not_ingest_uploads_nothing(nexus: Nexus) -> None:
    nexus.join("asker", "nx1_ask", "nx1_monitor")
    assert nexus.upload("a.csv", b"a", by="asker").status_code == 403
    nexus.join("keeper", "nx1_s3_admin")
    assert nexus.upload("a.csv", b"a", by="keeper").status_code == 200


def test_a_file_that_is_too_large_leaves_nothing(nexus: Nexus) -> None:
    assert nexus.upload("a.csv", b"x" * 1024).status_code == 200
    before = kept(nexus)
    for size in (1025, 60_000, 200_000):
        answer = nexus.upload("b.csv", b"x" * size)
        assert (answer.status_code, answer.json()) == (413, {"detail": "a file has at most 1024 bytes"})
        assert (kept(nexus), rows(nexus)) == (before, 1)
    assert not [*(nexus.folder / "buckets" / "uploads").rglob("_headrace")]


def test_a_form_without_its_end_leaves_nothing(nexus: Nexus) -> None:
    body, kind = form("a.csv", b"id\n1\n2\n3\n4\n")
    for missing in (4, 8, 20, len(body) - 10):
        headers = {"authorization": f"Bearer {nexus.tokens['ann']}", "content-type": kind}
        answer = nexus.server.send("POST", "/api/files/file", content=body[:-missing], headers=headers)
        assert (answer.status_code, answer.json()) == (400, {"detail": "There was an error parsing the body"})
        assert (kept(nexus), rows(nexus), nexus.told("GET", "/api/files")) == ([], 0, [])


def test_a_client_that_goes_away_leaves_nothing(nexus: Nexus) -> None:
    seen: list[list[str]] = []
    nexus.leave_amid_upload(lambda: seen.append(kept(nexus)))
    # What came was written as it came, where nobody takes it for data; and then it was taken away.
    assert [path.partition("/")[2] for path in seen[0]] == ["_headrace/upload/a.csv"]
    assert (kept(nexus), rows(nexus)) == ([], 0)


def test_a_name_leads_nowhere_else(nexus: Nexus) -> None:
    for name in (
        "../../lake/raw/a.csv",
        "..",
        ".",
        "/etc/passwd",
        "raw/a.csv",
        "_headrace",
        ".a",
        "",
        "a\tb",
        "x" * 256,
    ):
        answer = nexus.upload(name, b"a")
        (fault,) = answer.json()["detail"]
        assert (answer.status_code, fault["loc"], fault["type"]) == (422, ["body", "file"], "value_error"), name
        assert (kept(nexus), rows(nexus)) == ([], 0)
    assert sorted(path.name for path in (nexus.folder / "buckets" / "lake" / "raw").iterdir()) == ["a.csv"]


_FORM = "multipart/form-data; boundary=edge"
_TWO = form("a.csv", b"a")[0].removesuffix(b"--\r\n") + b"\r\n" + form("b.csv", b"b")[0].removeprefix(b"--edge\r\n")
_TEXT = b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--edge--\r\n'
_WRONG = (
    (b"{}", "application/json", 422, "missing"),
    (b"--edge--\r\n", _FORM, 422, "missing"),
    (b"a", "multipart/form-data", 422, "missing"),
    (b"nothing of the kind", _FORM, 400, None),
    (*form("a.csv", b"a", part="other"), 422, "missing"),
    (_TEXT, _FORM, 422, "value_error"),
    (_TWO, _FORM, 422, "value_error"),
)


def test_a_form_without_exactly_one_file_is_refused_as_fastapi_does(nexus: Nexus) -> None:
    for body, kind, status, type_ in _WRONG:
        headers = {"authorization": f"Bearer {nexus.tokens['ann']}", "content-type": kind}
        answer = nexus.server.send("POST", "/api/files/file", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        if type_:
            assert [(each["loc"], each["type"]) for each in answer.json()["detail"]] == [(["body", "file"], type_)]
        assert (kept(nexus), rows(nexus)) == ([], 0)


def test_other_fields_of_the_form_are_passed_over(nexus: Nexus) -> None:
    field = b'--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    body, kind = form("a.csv", b"a")
    headers = {"authorization": f"Bearer {nexus.tokens['ann']}", "content-type": kind}
    answer = nexus.server.send("POST", "/api/files/file", content=field + body, headers=headers)
    assert (answer.status_code, answer.json()["size"]) == (200, 1)


def test_a_file_by_its_address_is_told_to_be_not_built(nexus: Nexus) -> None:
    for path in ("/api/files", "/api/files/url"):
        told = nexus.refused(501, "POST", path, {"source_url": "https://example.org/a.csv"})
        assert "/api/files/file" in told


def test_an_unknown_file_is_not_found(nexus: Nexus) -> None:
    nexus.refused(404, "GET", f"/api/files/{uuid4()}/content")
    nexus.refused(404, "GET", "/api/files/..%2f..%2fetc")
    nexus.refused(422, "GET", "/api/files/etc")


def test_the_form_is_described(nexus: Nexus) -> None:
    described = nexus.server.send("GET", "/docs/nexusone.json").json()
    assert "multipart/form-data" in described["paths"]["/api/files/file"]["post"]["requestBody"]["content"]
    assert "File" in described["components"]["schemas"]


@pytest.mark.services
def test_files_in_object_storage_are_whole_or_not_there(tmp_path: Path, seaweed: Seaweed) -> None:
    secret = {"HEADRACE_S3_SECRET_KEY": FULL[1]}
    flags = {"s3_endpoint": f"http://{seaweed.host}", "s3_access_key": FULL[0], "uploads": "other"}
    nexus = Nexus(Server.start(tmp_path, secret, upload_limit="1MB", **flags), tmp_path)
    nexus.join("ann", *ALL)
    content = b"id\n" + b"1\n" * 200_000
    file = nexus.upload("a b.csv", content).json()
    assert seaweed.keys("other") == [f"{file['id']}/a b.csv"]
    assert nexus.ask("GET", f"/api/files/{file['id']}/content").content == content
    assert nexus.upload("b.csv", b"x" * 1_048_577).status_code == 413
    nexus.leave_amid_upload(lambda: None)
    assert seaweed.keys("other") == [f"{file['id']}/a b.csv"]
    assert not [*(tmp_path / "uploads").iterdir()]
    nexus.told("POST", "/api/jobs", ingest({"file_id": file["id"]}, source=None))
    nexus.told("DELETE", f"/api/files/{file['id']}")
    assert seaweed.keys("other") == []
    nexus.server.database.dispose()
