"""`/api/files`: files that a caller uploads for jobs of type `airflow.ingest`. They are their owner's alone."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.routing import Route

from headrace.api.call import Server
from headrace.api.middleware import unread
from headrace.api.nx1.gate import Caller
from headrace.api.nx1.jobs import Most, Offset, Whence, origin_of
from headrace.api.nx1.middleware import Streamed, caller_of
from headrace.api.nx1.psks import Whose
from headrace.api.nx1.receiving import PART, ROUND_BYTES, Arrival, Shelf, too_large
from headrace.core import audit, uploads
from headrace.core.audit import Deed
from headrace.core.uploads import Upload
from headrace.errors import NotBuilt, StoreError, StoreMissing
from headrace.execution.places import Stores
from headrace.service.uploads import SCRATCH
from headrace.settings import Settings, parse_size
from headrace.stores.base import Store, StoredObject
from headrace.stores.files import told

UPLOAD = "/api/files/file"
_PIECE = 1024 * 1024
_BY_URL = "files by the address of another server (/api/files, /api/files/url); upload them to /api/files/file"
_FORBIDDEN = "a role that may ingest, or write to its storage, is needed"

log = logging.getLogger(__name__)


class File(BaseModel):
    """An uploaded file."""

    id: str
    owner_id: str
    name: str
    size: int
    bucket_name: str
    source_url: str | None
    s3_url: str
    access_count: int
    created_at: datetime
    accessed_at: datetime | None


# How the form is described: it is taken before FastAPI would read it.
DESCRIBED: Mapping[str, Any] = {
    "tags": ["Files"],
    "summary": "Upload",
    "description": "Upload a file: a form with one part `file`.",
    "operationId": "upload_api_files_file_post",
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [PART],
                    "properties": {PART: {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "Successful Response",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/File"}}},
        },
        "422": {
            "description": "Validation Error",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}},
        },
    },
}


class _Uploading:
    """An upload, with its answer."""

    def __init__(self, arrival: Arrival) -> None:
        self.feed = arrival.feed
        self._arrival = arrival

    def finish(self) -> Response:
        return JSONResponse(_told(self._arrival.finish()).model_dump(mode="json"))

    def discard(self) -> None:
        try:
            self._arrival.discard()
        except StoreError as error:
            log.warning("what came of an upload stays until it is swept", extra={"reason": str(error)})


@dataclass(frozen=True)
class Files:
    """The endpoints, over one server."""

    server: Server
    stores: Stores
    bucket: str
    most: int

    def begin(self, request: Request) -> _Uploading:
        """A form that comes. Who may not send it is told before it is read."""
        caller = caller_of(request)
        if not (caller.may("ingest") or caller.may("storage")):
            raise HTTPException(403, _FORBIDDEN, unread(request.headers))
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 20 or int(length) > self.most + ROUND_BYTES:
            raise too_large(self.most, request.headers)
        return _Uploading(Arrival(self._shelf, caller, origin_of(request), headers=request.headers))

    def by_url(self) -> None:
        """What the vendor fetches from elsewhere."""
        raise NotBuilt(_BY_URL)

    def all(self, caller: Whose, limit: Most = 10_000, offset: Offset = 0) -> list[File]:
        """The caller's own files, the newest first."""
        with self.server.database.reading() as con:
            found = uploads.list(con, caller.account_id, owner_id=caller.owner_id, limit=limit, offset=offset)
        return [_told(upload) for upload in found]

    def get(self, caller: Whose, file_id: UUID) -> File:
        """What is known of a file."""
        return _told(self._mine(caller, file_id))

    def content(self, caller: Whose, file_id: UUID) -> StreamingResponse:
        """The bytes of a file."""
        upload = self._mine(caller, file_id)
        found = self._store.listing(upload.bucket, upload.key).objects
        if not found:
            raise StoreMissing(f"the content of the file {upload.name!r} is gone", hint="upload it again")
        pieces = _pieces(_opened(found[0]))
        with self.server.database.transaction() as con:
            uploads.note_access(con, upload.upload_id, now=self.server.now())
        headers = {
            "content-length": str(found[0].size),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(upload.name, safe='')}",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")

    def delete(self, caller: Whose, whence: Whence, file_id: UUID) -> str:
        """Delete a file; jobs that read it fail from now on."""
        upload = self._mine(caller, file_id)
        with self.server.database.transaction() as con:
            uploads.delete(con, caller.account_id, upload.upload_id, now=self.server.now())
            deed = Deed("deleteFile", f"files/{upload.upload_id}")
            audit.write(con, caller.principal, deed, origin=whence, now=self.server.now())
        try:
            self._shelf.remove(upload.upload_id)
        except StoreError as error:
            log.warning("a deleted file stays until it is swept", extra={"reason": str(error)})
        return "deleted"

    def _mine(self, caller: Caller, file_id: UUID) -> Upload:
        with self.server.database.reading() as con:
            found = uploads.get(con, caller.account_id, str(file_id))
        if found.owner_id != caller.owner_id:
            raise HTTPException(403, "the file is somebody else's")
        return found

    @cached_property
    def _store(self) -> Store:
        return self.stores.of(self.bucket, region="1", nrn="")

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self.server, self._store, self.bucket, self.most)


def file_routes(server: Server, settings: Settings) -> APIRouter:
    """The endpoints by their whole paths; they stand behind the gate."""
    # Not among what is spilled: what lies there is taken for that of a dead run.
    stores = Stores(settings, scratch=settings.data / SCRATCH)
    files = Files(server, stores, str(settings["uploads"]), parse_size(settings["upload_limit"]))
    router, one = APIRouter(tags=["Files"]), "/api/files/{file_id}"
    router.routes.append(Route(UPLOAD, endpoint=Streamed(files.begin), methods=["POST"]))
    router.add_api_route("/api/files", files.all, methods=["GET"])
    for path in ("/api/files", "/api/files/url"):
        router.add_api_route(path, files.by_url, methods=["POST"], include_in_schema=False)
    router.add_api_route(one, files.get, methods=["GET"])
    router.add_api_route(one, files.delete, methods=["DELETE"])
    router.add_api_route(f"{one}/content", files.content, methods=["GET"], response_class=StreamingResponse)
    return router


def _opened(found: StoredObject) -> BinaryIO:
    if found.origin is not None:
        return found.origin.open(found)
    with told(f"{found.bucket}/{found.key}"):
        return Path(found.location).open("rb")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _told(upload: Upload) -> File:
    return File(
        id=upload.upload_id,
        owner_id=upload.owner_id,
        name=upload.name,
        size=upload.size,
        bucket_name=upload.bucket,
        source_url=None,
        s3_url=f"s3://{upload.bucket}/{upload.key}",
        access_count=upload.access_count,
        created_at=upload.created_at,
        accessed_at=upload.accessed_at,
    )
