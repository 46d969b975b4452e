"""Columns are encrypted as documented: what any AES-GCM can decrypt, and never twice alike."""

import base64
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headrace.engines import spark
from headrace.engines.duckdb import DuckDbEngine
from headrace.errors import NotSupported
from tests.support.jobs import Json, node, plan, source, target
from tests.support.lake import LIMITS, Lake

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
KEYS = {"old": OLD, "new": NEW}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def encrypt(node_id: int = 2, parent: int = 1, **names: str) -> Json:
    listed = [{"name": name, "keyName": key} for name, key in names.items()]
    return node("TRANSFORM_ENCRYPT", node_id, (parent,), encryptFieldList=listed)


def engine(lake: Lake, **keys: bytes) -> DuckDbEngine:
    return DuckDbEngine(replace(LIMITS, temp_directory=str(lake.root / "spill")), keys=keys or KEYS)


def decrypted(text: str, key: bytes) -> str:
    raw = base64.b64decode(text, validate=True)
    return AESGCM(key).decrypt(raw[:12], raw[12:], None).decode()


def test_a_value_is_nonce_ciphertext_and_tag_of_its_text(lake: Lake) -> None:
    lake.put("in/a.csv", 'id,name\n1,Zoë\n-2,""\n3,\n')
    lake.run(
        source(), encrypt(id="old", name="new"), target("id string, name string", parents=(2,)), engine=engine(lake)
    )
    found = {decrypted(id_, OLD): name for id_, name in lake.rows()}
    assert set(found) == {"1", "-2", "3"}
    assert (decrypted(found["1"], NEW), len(base64.b64decode(found["1"]))) == ("Zoë", 12 + 4 + 16)
    assert found["3"] == ""
    with pytest.raises(InvalidTag):
        decrypted(found["1"], OLD)


def test_a_missing_value_stays_missing_among_others(lake: Lake) -> None:
    lake.put("in/a.json", "\n".join(f'{{"id": {n}, "name": {"null" if n % 3 else "1"}}}' for n in range(5000)))
    lake.run(
        source("id bigint, name int", kind="NDJSON"),
        encrypt(name="old"),
        target("id bigint, name string", parents=(2,)),
        engine=engine(lake),
    )
    rows = {int(id_): name for id_, name in lake.rows()}
    assert len(rows) == 5000
    assert all((rows[n] == "") == bool(n % 3) for n in rows)


def test_equal_values_are_never_encrypted_alike(lake: Lake) -> None:
    # In Parquet they lie once in a dictionary; the text of a query is one for all rows.
    lake.put_parquet("in/a.parquet", id=list(range(3000)), name=["same"] * 3000)
    constant = node(
        "TRANSFORM_SQL",
        3,
        (1,),
        sourceNameList=[{"parentId": 1, "newName": "t"}],
        sql="SELECT name, 'one' AS id FROM t",
    )
    wanted = target("id string, name string", parents=(2,))
    lake.run(source(kind="PARQUET"), constant, encrypt(2, 3, id="old", name="old"), wanted, engine=engine(lake))
    rows = lake.rows()
    assert len({text for row in rows for text in row}) == 2 * 3000
    assert {decrypted(text, OLD) for row in rows for text in row} == {"one", "same"}


def test_two_targets_have_the_same_encrypted_rows(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n2,b\n")
    wanted = "id bigint, name string"
    lake.run(
        source(),
        encrypt(name="old"),
        target(wanted, parents=(2,)),
        target(wanted, node_id=8, prefix="b", parents=(2,)),
        engine=engine(lake),
    )
    assert lake.rows(8) == lake.rows(9)


def test_a_column_that_nothing_uses_needs_no_encryption(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.run(source(), encrypt(name="gone"), target("id bigint", parents=(2,)), engine=engine(lake))
    assert lake.rows() == [["1"]]


def test_a_key_that_is_not_there_is_a_gap_that_names_it(lake: Lake) -> None:
    sinks = plan(source(), encrypt(name="gone"), target(parents=(2,))).pruned
    (gap,) = engine(lake).gaps(sinks)
    assert (gap.node_id, gap.what) == (2, "the key 'gone'")
    assert engine(lake, gone=OLD).gaps(sinks) == ()


def test_without_arrow_a_run_says_what_to_install(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    lake.put("in/a.csv", "id,name\n1,a\n")
    with pytest.raises(NotSupported, match=r"pyarrow.*install headrace\[encrypt\]"):
        lake.run(source(), encrypt(name="old"), target(parents=(2,)), engine=engine(lake))


def test_scripts_name_the_key_and_do_not_hold_it(lake: Lake) -> None:
    sinks = plan(source(), encrypt(name="old"), target(parents=(2,))).pruned
    ours, theirs = engine(lake).script(sinks), spark.script(sinks)
    assert "encrypted(\"name\", 'old')" in ours
    assert ours.startswith("-- encrypted(text, name) is AES-256-GCM")
    assert "base64(aes_encrypt(CAST(`name` AS BINARY), session.`key_old`, 'GCM')) AS `name`" in theirs
    assert theirs.startswith("-- The key 'old' is not part of this script")
    for text in (ours, theirs):
        assert base64.b64encode(OLD).decode() not in text
        assert OLD.hex() not in text
