"""What a job of type `airflow.ingest` reads: files of a bucket, an uploaded file of its owner, or a table."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.api.nx1.models import IngestProperties, NewJob
from headrace.core.warehouse import TableName
from headrace.errors import BadParameter, Problem
from headrace.plan.ops import Place

_SCHEME = re.compile(r"s3[an]?://")
_FOR_FILES = ("format", "columns", "read_options")


@dataclass(frozen=True, slots=True)
class Shelved:
    """The bucket of uploaded files, and where the caller's own file of an id lies, if there is one."""

    bucket: str
    of: Callable[[str], Place | None]

    def holds(self, place: Place) -> bool:
        """Whether this is a file of the caller's, and not another's or all of them."""
        return self.of(place.prefix.partition("/")[0]) == Place(self.bucket, place.prefix)


def given(sent: NewJob, properties: IngestProperties) -> tuple[str, str]:
    """The source as it was sent, and where that was."""
    if sent.source is None and properties.source is not None:
        return properties.source.strip(), "properties_json.source"
    return (sent.source or "").strip(), "source"


def table(sent: NewJob, properties: IngestProperties) -> TableName | None:
    """The table that is to be read, when the source names one. Raises BadParameter for what is of no table."""
    found, where = given(sent, properties)
    named = None
    if properties.file_id is None and found and "/" not in found:
        try:
            named = TableName.of(found)
        except ValueError as error:
            told = f"is neither bucket/path of files nor a table: {error}"
            raise BadParameter([Problem("bad-source", told, field=where)]) from None
    if named is None and properties.where is not None:
        raise BadParameter([_wrong("where", "is for a table: the source is none")])
    if named is not None and (wrong := [each for each in _FOR_FILES if each in properties.model_fields_set]):
        raise BadParameter([_wrong(each, "is for files: the source is a table") for each in wrong])
    return named


def files(sent: NewJob, properties: IngestProperties, shelved: Shelved) -> tuple[Place, str]:
    """Where the files lie that are to be read, and where that was sent. Raises BadParameter."""
    found, where = given(sent, properties)
    bucket, _, prefix = _SCHEME.sub("", found, count=1).strip("/").partition("/")
    named = Place(bucket, prefix)
    if properties.file_id is not None:
        place = shelved.of(str(properties.file_id))
        if place is None:
            raise BadParameter([_wrong("file_id", "there is no such file of yours")])
        if found and named != place:
            raise BadParameter([Problem("two-sources", "is another file than file_id", field=where)])
        return place, "properties_json.file_id"
    if not bucket or not prefix:
        raise BadParameter([Problem("missing", "is needed: bucket/path of the files", field=where)])
    return named, where


def refuse_others(nodes: Iterable[Mapping[str, Any]], shelved: Shelved, *, field: str = "source") -> None:
    """Raise BadParameter when a job would read or write what lies among the uploaded files but is not the caller's.

    `field` is where that was sent.
    """
    for node in nodes:
        if node.get("bucketName") != shelved.bucket:
            continue
        place = Place(shelved.bucket, str(node.get("prefix", "")).strip("/"))
        if node["type"] != "SOURCE_OBS" or not shelved.holds(place):
            told = f"there is no such file of yours: {place.bucket}/{place.prefix}"
            raise BadParameter([Problem("no-file", told, field=field)])


def _wrong(key: str, message: str) -> Problem:
    return Problem("bad-value", message, field=f"properties_json.{key}")
