"""Other encodings and mixed line ends become the one form that engines read, and nothing else changes."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.engines import recode
from headrace.engines.packing import Packing
from headrace.errors import BadData, Cancelled
from headrace.stores.base import StoredObject

STORED = StoredObject("lake", "in/a.csv", 1, "e", "/nowhere")
HANGUL = "id,name\n1,한글\n2,똠방각하\n3,\n"


def go_on() -> None:
    """Never stops."""


def read(folder: Path, data: bytes, encoding: str) -> bytes:
    return Path(recode.as_utf8(STORED, io.BytesIO(data), encoding, folder, go_on).location).read_bytes()


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("CP949", "cp949"), ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"), ("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig")],
)
def test_a_text_of_any_encoding_is_the_same_text(encoding: str, codec: str, tmp_path: Path) -> None:
    assert read(tmp_path, HANGUL.encode(codec), encoding).decode() == HANGUL


def test_utf_16_tells_its_byte_order_by_its_mark(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xfe\xff" + HANGUL.encode("utf-16-be"), "UTF-16").decode() == HANGUL


def test_the_parts_of_a_character_may_lie_in_two_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recode, "_CHUNK", 3)
    assert read(tmp_path, HANGUL.encode("cp949"), "CP949").decode() == HANGUL


@pytest.mark.parametrize("chunk", [1, 2, 7, 1024])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [("CP949", "1\n2\n가\n".encode("cp949") + b"\xff\xff\n"), ("UTF-8", "1\n2\n가\n".encode() + b"\xff\n")],
)
def test_a_wrong_byte_is_told_with_its_line(
    encoding: str, data: bytes, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recode, "_CHUNK", chunk)
    with pytest.raises(BadData) as caught:
        read(tmp_path, data, encoding)
    assert caught.value.message == f"lake/in/a.csv, line 4: 0xFF is not {encoding}"


def test_a_character_that_is_cut_off_at_the_end_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="line 1: 0xB0 is not CP949"):
        read(tmp_path, b"a\xb0", "CP949")


def test_a_stop_is_heard_between_chunks(tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        recode.as_utf8(STORED, io.BytesIO(b"x"), "CP949", tmp_path, stop)


def test_what_is_written_in_another_encoding_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    path.write_text(HANGUL, encoding="utf-8")
    recode.from_utf8(path, path, "CP949", Packing.NONE, go_on)
    assert path.read_bytes() == HANGUL.encode("cp949")
    assert [p.name for p in tmp_path.iterdir()] == ["part.csv"]


def test_utf_16_is_written_with_one_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recode, "_CHUNK", 4)
    path = tmp_path / "part.csv"
    path.write_text(HANGUL, encoding="utf-8")
    recode.from_utf8(path, path, "UTF-16", Packing.NONE, go_on)
    assert path.read_bytes() == HANGUL.encode("utf-16")


def test_a_character_that_the_encoding_lacks_is_told_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    path.write_text("a\nb😀\n", encoding="utf-8")
    with pytest.raises(BadData, match=r"line 2: '😀' \(U\+1F600\) is not in CP949"):
        recode.from_utf8(path, path, "CP949", Packing.NONE, go_on)


CSV_TEXT = st.lists(st.sampled_from(['"', "\n", "\r\n", "\r", "a", ",", "가"])).map("".join)


@given(text=CSV_TEXT, chunk=st.integers(1, 5))
def test_only_line_ends_outside_quotes_change(text: str, chunk: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("unify")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recode, "_CHUNK", chunk)
        made = recode.with_one_line_end(STORED, io.BytesIO(text.encode()), '"', folder, go_on)
    pieces = text.split('"')
    wanted = '"'.join(piece if index % 2 else piece.replace("\r\n", "\n") for index, piece in enumerate(pieces))
    assert Path(made.location).read_bytes().decode() == wanted


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("a\nb\n", False),
        ("a\r\nb\r\n", False),
        ("a\r\nb\n", True),
        ('a\n"x\r\ny"\n', False),
        ('a\r\n"x\ny"\r\n', False),
        ("", False),
    ],
)
def test_mixed_line_ends_are_seen_outside_quotes_only(text: str, mixed: bool) -> None:
    assert recode.has_mixed_line_ends(io.BytesIO(text.encode()), '"', go_on) is mixed
