"""Text files as they come: other encodings, compressed, with line ends of both kinds; in, out, and back."""

import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from headrace.errors import BadData
from tests.support.jobs import source, target
from tests.support.lake import Lake

TEXT = 'id,name\n1,한글\n2,"쉼표, 둘\n줄"\n3,""\n4,\n'
ROWS = [["1", "한글"], ["2", "쉼표, 둘\n줄"], ["3", ""], ["4", ""]]


def packed(data: bytes, packing: str) -> bytes:
    return gzip.compress(data) if packing == "GZIP" else zstandard.ZstdCompressor().compress(data)


def unpacked(data: bytes, packing: str) -> bytes:
    if packing == "GZIP":
        return gzip.decompress(data)
    frame = zstandard.ZstdDecompressor().decompressobj()
    plain = frame.decompress(data)
    assert frame.eof
    return plain


ENDINGS = {"GZIP": ".gz", "ZSTD": ".zst"}
CODECS = [("CP949", "cp949"), ("EUC-KR", "euc-kr"), ("UTF-16", "utf-16"), ("UTF-8", "utf-8")]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def out(lake: Lake) -> Path:
    (path,) = (lake.root / "9").iterdir()
    return path


@pytest.mark.parametrize(("encoding", "codec"), [*CODECS, ("UTF-16", "utf-16-le")])
def test_a_source_reads_the_encoding_that_it_declares(lake: Lake, encoding: str, codec: str) -> None:
    lake.put("in/a.csv", TEXT.encode(codec))
    outcome = lake.run(source(options={"encoding": encoding}), target())
    assert (lake.rows(), outcome.reads[1].rows) == (ROWS, 4)


def test_utf_16_of_the_other_byte_order_is_read_whole(lake: Lake) -> None:
    lake.put("in/a.csv", b"\xfe\xff" + TEXT.encode("utf-16-be"))
    lake.run(source(options={"encoding": "UTF-16"}), target())
    assert lake.rows() == ROWS


@pytest.mark.parametrize(("encoding", "codec"), CODECS)
def test_a_target_writes_the_encoding_that_it_declares(lake: Lake, encoding: str, codec: str) -> None:
    lake.put("in/a.csv", TEXT)
    lake.run(source(), target(options={"encoding": encoding}), engine=lake.engine(read_back=True))
    assert out(lake).name == "part.csv"
    assert sorted(out(lake).read_text(codec).splitlines()) == sorted(TEXT.splitlines())


def test_a_character_that_the_encoding_lacks_fails_the_run_and_names_it(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,😀\n")
    with pytest.raises(BadData) as caught:
        lake.run(source(), target(options={"encoding": "CP949"}))
    assert str(caught.value) == (
        "node 'node 9' (9): line 2: '😀' (U+1F600) is not in CP949; write UTF-8, or replace such characters before"
    )


def test_a_wrong_byte_is_told_with_object_and_line(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,가\n".encode("cp949") + b"2,\xff\n")
    with pytest.raises(BadData) as caught:
        lake.run(source(options={"encoding": "CP949"}), target())
    assert str(caught.value) == (
        "node 'node 1' (1): lake/in/a.csv, line 3: 0xFF is not CP949; "
        "set options.encoding to what the file is written in"
    )


@pytest.mark.parametrize("packing", ["GZIP", "ZSTD"])
@pytest.mark.parametrize("told", [True, False])
def test_compressed_csv_is_read_by_its_name_or_as_told(lake: Lake, packing: str, told: bool) -> None:
    lake.put("in/a.csv" + ("" if told else ENDINGS[packing]), packed(TEXT.encode(), packing))
    lake.run(source(options={"compression": packing} if told else {}), target())
    assert lake.rows() == ROWS


@pytest.mark.parametrize("packing", ["GZIP", "ZSTD"])
@pytest.mark.parametrize("text", ['{"id": 1, "name": "가"}\n', '[{"id": 1, "name": "가"}]'])
def test_compressed_json_is_read_in_both_layouts(lake: Lake, packing: str, text: str) -> None:
    lake.put("in/a.json" + ENDINGS[packing], packed(text.encode(), packing))
    lake.put("in/b.json", '{"id": 2, "name": "나"}')
    lake.run(source(kind="JSON"), target())
    assert lake.rows() == [["1", "가"], ["2", "나"]]


def test_plain_and_compressed_files_may_lie_together(lake: Lake) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.put("in/b.csv.gz", gzip.compress(b"name,id\nb,2\n"))
    lake.put("in/c.csv.zst", packed(b"id,name\n3,c\n", "ZSTD"))
    lake.run(source(), target())
    assert lake.rows() == [["1", "a"], ["2", "b"], ["3", "c"]]


def test_compressed_text_in_another_encoding_is_read(lake: Lake) -> None:
    lake.put("in/a.csv.gz", gzip.compress(TEXT.encode("cp949")))
    lake.run(source(options={"encoding": "CP949"}), target())
    assert lake.rows() == ROWS


@pytest.mark.parametrize("packing", ["GZIP", "ZSTD"])
@pytest.mark.parametrize(("encoding", "codec"), CODECS)
def test_a_target_compresses_and_names_it(lake: Lake, packing: str, encoding: str, codec: str) -> None:
    lake.put("in/a.csv", TEXT)
    options = {"compression": packing, "encoding": encoding}
    lake.run(source(), target(options=options), engine=lake.engine(read_back=True))
    assert out(lake).name == f"part.csv{ENDINGS[packing]}"
    written = unpacked(out(lake).read_bytes(), packing).decode(codec)
    assert sorted(written.splitlines()) == sorted(TEXT.splitlines())


@pytest.mark.parametrize("packing", ["GZIP", "ZSTD"])
def test_json_is_compressed_too(lake: Lake, packing: str) -> None:
    lake.put("in/a.csv", "id,name\n1,a\n")
    lake.run(source(), target(kind="JSON", options={"compression": packing}), engine=lake.engine(read_back=True))
    assert out(lake).name == f"part.json{ENDINGS[packing]}"
    assert unpacked(out(lake).read_bytes(), packing) == b'{"id":1,"name":"a"}\n'


@pytest.mark.parametrize("packing", ["GZIP", "ZSTD"])
@pytest.mark.parametrize("header", [True, False])
def test_compressed_data_that_is_cut_off_is_told_with_its_object(lake: Lake, packing: str, header: bool) -> None:
    lines = ["a,b"] * header + [f"{i},{i * 7919}" for i in range(200_000)]
    whole = packed("\n".join(lines).encode(), packing)
    lake.put(f"in/a.csv{ENDINGS[packing]}", whole[: len(whole) // 2])
    with pytest.raises(BadData, match=r"lake/in/a\.csv\.(gz|zst)"):
        lake.run(source("a bigint, b bigint", options={"header": header}), target("a bigint"))


def test_what_is_not_compressed_at_all_is_told(lake: Lake) -> None:
    lake.put("in/a.csv.gz", lzma.compress(b"id,name\n1,a\n"))
    with pytest.raises(BadData, match=r"lake/in/a\.csv\.gz: the compressed data is cut off or damaged"):
        lake.run(source(), target())


def test_records_that_end_in_both_ways_are_read_and_values_keep_their_line_ends(lake: Lake) -> None:
    lake.put("in/a.csv", b'id,name\r\n1,a\n2,"x\r\ny"\r\n3,"x\ny"\n')
    lake.put("in/b.csv", b"id,name\n4,d\n")
    outcome = lake.run(source(), target())
    assert outcome.reads[1].rows == 4
    records = b"1,a\n", b'2,"x\r\ny"\n', b'3,"x\ny"\n', b"4,d\n"
    assert [out(lake).read_bytes().count(record) for record in records] == [1, 1, 1, 1]


def test_mixed_line_ends_and_ragged_rows_may_come_together(lake: Lake) -> None:
    lake.put("in/a.csv.gz", gzip.compress(b"id,name\r\n1\n2,b,c\r\n3,c\n"))
    outcome = lake.run(source(), target())
    assert (outcome.reads[1].short_rows, outcome.reads[1].long_rows) == (1, 1)
    assert lake.rows() == [["1", ""], ["2", "b"], ["3", "c"]]
