"""A form with a file, taken piece by piece: what comes of the file is in storage at once, and never whole in memory.

What is wrong with the form is told at its end, so that a client that still sends hears it; only a file that is too
large is told at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from fastapi.exceptions import RequestValidationError
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException

from headrace.api.call import Server
from headrace.api.middleware import unread
from headrace.api.nx1.gate import Caller
from headrace.core import audit, uploads
from headrace.core.audit import Deed, Origin
from headrace.core.uploads import BadName, Upload
from headrace.errors import HeadraceError, StoreDenied
from headrace.stores.base import Store
from headrace.stores.files import told
from headrace.stores.names import OURS

PART = "file"
# What a form has around its file: boundaries, headers, other fields.
ROUND_BYTES = 65_536
_TOUCH_SECONDS = 30.0
_FILE = ("body", PART)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where uploaded files lie, and how large one may be."""

    server: Server
    store: Store
    bucket: str
    most: int

    def begin(self, caller: Caller, name: str) -> tuple[Upload, BinaryIO]:
        """A file that comes, and what takes its bytes."""
        with self.server.database.transaction() as con:
            begun = uploads.begin(
                con, caller.account_id, caller.owner_id, name=name, bucket=self.bucket, now=self.server.now()
            )
        self.store.make(self.bucket)
        folder = self.store.stage(self.bucket, _staging(begun.upload_id))
        return begun, Path(folder, begun.name).open("wb")

    def touch(self, upload: Upload) -> None:
        """It still comes."""
        with self.server.database.transaction() as con:
            uploads.touch(con, upload.upload_id, now=self.server.now())

    def keep(self, caller: Caller, upload: Upload, size: int, whence: Origin) -> Upload:
        """It has come: make it lasting, and show it."""
        staging = _staging(upload.upload_id)
        self.store.flush(self.bucket, staging)
        self.store.move(self.bucket, [(f"{staging}/{upload.name}", upload.key)])
        self.store.discard(self.bucket, f"{upload.upload_id}/{OURS}")
        with self.server.database.transaction() as con:
            kept = uploads.finish(con, upload.upload_id, size=size, now=self.server.now())
            deed = Deed("uploadFile", f"files/{upload.upload_id}", "done", {"name": upload.name, "size": size})
            audit.write(con, caller.principal, deed, origin=whence, now=self.server.now())
        return kept

    def remove(self, upload_id: str) -> None:
        """Remove what there is of a file, and its row. What fails is done again by the server later."""
        self.store.discard(self.bucket, upload_id)
        with self.server.database.transaction() as con:
            uploads.forget(con, upload_id)


class Arrival:
    """One form on its way. `feed` takes pieces, `finish` gives the file, `discard` leaves nothing of it."""

    def __init__(self, shelf: Shelf, caller: Caller, whence: Origin, *, headers: Mapping[str, str]) -> None:
        self._shelf = shelf
        self._caller = caller
        self._whence = whence
        self._sent = headers
        self._parser = _parser(headers.get("content-type", ""), self)
        self._field = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._upload: Upload | None = None
        self._out: BinaryIO | None = None
        self._size = 0
        self._touched_at = shelf.server.clock.seconds()
        self._takes = self._ended = False
        self._fault: Exception | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes of the form. Raises HTTPException when the file is too large."""
        if self._parser is None or self._fault is not None:
            return
        try:
            self._parser.write(data)
        except FormParserError:
            self._fault = _unreadable()
        except (RequestValidationError, HeadraceError) as error:
            self._fault = error
        seconds = self._shelf.server.clock.seconds()
        if self._upload is not None and seconds - self._touched_at >= _TOUCH_SECONDS:
            self._touched_at = seconds
            self._shelf.touch(self._upload)

    def finish(self) -> Upload:
        """The file, kept. Raises what is wrong with the form."""
        if self._fault is not None:
            raise self._fault
        if self._parser is not None and not self._ended:
            raise _unreadable()
        if self._upload is None:
            _wrong("missing", "Field required")
        self._close()
        return self._shelf.keep(self._caller, self._upload, self._size, self._whence)

    def discard(self) -> None:
        """Leave nothing of what came."""
        self._close()
        if self._upload is not None:
            self._shelf.remove(self._upload.upload_id)

    # What the parser calls.

    def begin_part(self) -> None:
        """A part: nothing is known of it."""
        self._headers, self._field, self._value, self._takes = {}, b"", b"", False

    def add_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._field += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's value."""
        self._value += data[start:end]

    def end_header(self) -> None:
        """A header is whole."""
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def begin_data(self) -> None:
        """The headers of a part are whole: this says whether it is the file."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if options.get(b"name") != PART.encode():
            return
        if b"filename" not in options:
            _wrong("value_error", "is no file: send it with a name")
        if self._upload is not None:
            _wrong("value_error", "comes twice: one request brings one file")
        name = _text(options[b"filename"])
        try:
            uploads.check_name(name)
        except (BadName, StoreDenied) as error:
            _wrong("value_error", str(error))
        self._upload, self._out = self._shelf.begin(self._caller, name)
        self._takes = True

    def add_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of a part's content."""
        if not self._takes or self._out is None:
            return
        self._size += end - start
        if self._size > self._shelf.most:
            raise too_large(self._shelf.most, self._sent)
        with told("the folder of uploaded files"):
            self._out.write(memoryview(data)[start:end])

    def end(self) -> None:
        """The last boundary."""
        self._ended = True

    def _close(self) -> None:
        if self._out is not None:
            self._out.close()


def too_large(most: int, headers: Mapping[str, str]) -> HTTPException:
    """What is told of a file that is larger than one may be; the rest of the request with these headers is unread."""
    return HTTPException(413, f"a file has at most {most} bytes", unread(headers))


def _parser(content_type: str, arrival: Arrival) -> MultipartParser | None:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        return None
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": arrival.begin_part,
                "on_header_field": arrival.add_field,
                "on_header_value": arrival.add_value,
                "on_header_end": arrival.end_header,
                "on_headers_finished": arrival.begin_data,
                "on_part_data": arrival.add_data,
                "on_end": arrival.end,
            },
        )
    except FormParserError:
        raise _unreadable() from None


def _staging(upload_id: str) -> str:
    return f"{upload_id}/{OURS}/upload"


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _unreadable() -> HTTPException:
    return HTTPException(400, "There was an error parsing the body")


def _wrong(kind: str, message: str) -> NoReturn:
    raise RequestValidationError([{"loc": _FILE, "msg": message, "type": kind}])
