"""Requests to object storage: each bounded in time, tried again where that may help, and told in our own words.

No text of the client library goes further than this module, so that none shows a key of the account.
"""

import base64
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from botocore import exceptions

from headrace.errors import StoreError
from headrace.stores.access import Access
from headrace.stores.base import StoredObject
from headrace.stores.names import check_bucket, join
from headrace.stores.objects.answers import failed, meant

T = TypeVar("T")
Kind = Literal["plain", "heartbeat", "copy"]

AT_ONCE = 4
NONE: Mapping[str, str] = MappingProxyType({})
_BATCH = 1000
_MIB = 1 << 20
# What S3 takes an object for that names no type. Some servers look at the bytes of such a one instead, and compress
# what looks like text: three quarters of their time for a read, and half of that for a write.
_TYPE = "binary/octet-stream"
_ABSENT = ("404", "NoSuchKey", "NotFound", "NoSuchUpload")
_THERE = ("BucketAlreadyExists", "BucketAlreadyOwnedByYou")
_CUT = (exceptions.IncompleteReadError, exceptions.ResponseStreamingError, exceptions.ReadTimeoutError)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a connection and for an answer, and how often a request is sent at most.

    A copy is done by the server and may take long. A heartbeat that takes long is of no use.
    """

    connect: float = 5.0
    answer: float = 30.0
    copy: float = 300.0
    heartbeat: float = 5.0
    attempts: int = 4


PATIENT = Patience()
BRIEF = Patience(connect=3.0, answer=10.0, attempts=2)


@dataclass(frozen=True, slots=True)
class Sizes:
    """From which size an object goes in parts, and how large these are, in bytes; names in a page of a listing."""

    upload_whole: int = 32 * _MIB
    upload_part: int = 32 * _MIB
    copy_whole: int = 5 * 1024 * _MIB
    copy_part: int = 512 * _MIB
    page: int = 1000


class Client:
    """Requests to the buckets that `access` tells how to reach. Several threads may share it."""

    def __init__(self, access: Callable[[str], Access], patience: Patience, sizes: Sizes) -> None:
        self.access = access
        self._patience = patience
        self.sizes = sizes
        self._made: dict[tuple[Access, Kind], Any] = {}
        self._lock = threading.Lock()

    @contextmanager
    def told(self, bucket: str, key: str, kind: Kind = "plain") -> Iterator[Any]:
        """The library's client for a bucket. What fails inside is told with bucket and key."""
        check_bucket(bucket)
        try:
            yield self._client(self.access(bucket), kind)
        except exceptions.ClientError as error:
            told = meant(_code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)))
        except (exceptions.BotoCoreError, exceptions.HTTPClientError) as error:
            told = failed(type(error).__name__)
        except OSError as error:
            told = StoreError, os.strerror(error.errno or 0), "run again"
        else:
            return
        raise _refusal(bucket, key, *told) from None

    def make(self, bucket: str) -> None:
        """Make a bucket; one that is there, whosever it is, is passed over."""
        with self.told(bucket, "") as client:
            try:
                client.create_bucket(Bucket=bucket)
            except exceptions.ClientError as error:
                if _code(error) == "IllegalLocationConstraintException":  # some want the region, and some refuse it
                    place = {"LocationConstraint": self.access(bucket).region}
                    client.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
                elif _code(error) not in _THERE:
                    raise

    def head(self, bucket: str, key: str) -> tuple[int, str] | None:
        """Size and etag of an object, or None when it is not there."""
        with self.told(bucket, key) as client:
            try:
                head = client.head_object(Bucket=bucket, Key=key)
            except exceptions.ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                # An answer to this question has no text; this one says what is wrong.
                client.list_objects(Bucket=bucket, Prefix=key, MaxKeys=1)
                raise
        return int(head["ContentLength"]), str(head["ETag"])

    def pages(self, bucket: str, folder: str) -> Iterator[Mapping[str, Any]]:
        """Every object under a folder, hidden ones too."""
        asked = {"Bucket": bucket, "Prefix": f"{folder}/" if folder else "", "MaxKeys": self.sizes.page}
        more: Mapping[str, str] | None = {}
        while more is not None:
            with self.told(bucket, folder) as client:
                ask = client.list_objects if "Marker" in more else client.list_objects_v2
                page = ask(**asked, **more)
            yield from page.get("Contents", ())
            before, more = more, _next(page)
            if more is not None and more == before:
                raise StoreError(
                    f"'{join(bucket, folder)}': the endpoint gives one page of the listing again and again"
                )

    def get(
        self, bucket: str, key: str, *, kind: Kind = "plain", conditions: Mapping[str, str] = NONE
    ) -> tuple[bytes, Mapping[str, Any]] | None:
        """A small object or its beginning, and what the answer says of it; None when it is not there.

        A body that ends early is asked for again: the library only looks at the head of an answer.
        """
        return self._got(bucket, key, kind, conditions, lambda body: bytes(body.read()))

    def part(self, bucket: str, key: str, into: memoryview, *, start: int, etag: str) -> memoryview | None:
        """As many bytes of an object as `into` takes, in it; None when the object is not there.

        The object must still have the etag.
        """

        def taken(body: Any) -> memoryview:
            at = 0
            while chunk := body.read(_MIB):
                into[at : at + len(chunk)] = chunk
                at += len(chunk)
            return into[:at]

        conditions = {"Range": f"bytes={start}-{start + len(into) - 1}", "IfMatch": f'"{etag}"'}
        answer = self._got(bucket, key, "plain", conditions, taken)
        return None if answer is None else answer[0]

    def _got(
        self, bucket: str, key: str, kind: Kind, conditions: Mapping[str, str], take: Callable[[Any], T]
    ) -> tuple[T, Mapping[str, Any]] | None:
        for left in range(self._patience.attempts - 1, -1, -1):
            with self.told(bucket, key, kind) as client:
                try:
                    answer = client.get_object(Bucket=bucket, Key=key, **conditions)
                    return take(answer["Body"]), answer
                except exceptions.ClientError as error:
                    if _code(error) in _ABSENT:
                        return None
                    raise
                except _CUT:
                    if not left:
                        raise
        raise AssertionError("the last attempt returns or raises")

    def put(self, bucket: str, key: str, body: Any) -> None:
        """Write an object with one request; `body` is bytes, or a file as far as requests read one."""
        with self.told(bucket, key) as client:
            client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=_TYPE)

    def begin(self, bucket: str, key: str) -> str:
        """Begin an upload in parts and give its id."""
        with self.told(bucket, key) as client:
            return str(client.create_multipart_upload(Bucket=bucket, Key=key, ContentType=_TYPE)["UploadId"])

    def send(self, bucket: str, key: str, upload: str, *, number: int, body: Any) -> str:
        """Upload a part, from number 1 on, and give its etag."""
        with self.told(bucket, key) as client:
            part = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
            return str(part["ETag"])

    def complete(self, bucket: str, key: str, upload: str, etags: Sequence[str]) -> None:
        """Make an object of all parts. One that is done already, since an answer was lost, is passed over."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
        into = {"Bucket": bucket, "Key": key, "UploadId": upload}
        with self.told(bucket, key, "copy") as client:
            try:
                client.complete_multipart_upload(**into, MultipartUpload={"Parts": parts})
            except exceptions.ClientError as error:
                if _code(error) != "NoSuchUpload":
                    raise

    def give_up(self, bucket: str, key: str, upload: str) -> None:
        """End an upload in parts; what came of it goes."""
        with self.told(bucket, key, "heartbeat") as client:
            _abort(client, {"Bucket": bucket, "Key": key, "UploadId": upload})

    def copy(self, found: StoredObject, target: str) -> None:
        """Copy an object on the server to another key of its bucket."""
        source = {"Bucket": found.bucket, "Key": found.key}
        with self.told(found.bucket, target, "copy") as client:
            if found.size <= self.sizes.copy_whole:
                client.copy_object(Bucket=found.bucket, Key=target, CopySource=source)
            else:
                self._copy_in_parts(client, source, target, found)

    def _copy_in_parts(self, client: Any, source: Mapping[str, str], target: str, found: StoredObject) -> None:
        part = self.sizes.copy_part
        upload = client.create_multipart_upload(Bucket=found.bucket, Key=target)["UploadId"]
        into = {"Bucket": found.bucket, "Key": target, "UploadId": upload}

        def copied(number: int) -> dict[str, object]:
            last = min(number * part, found.size) - 1
            asked = {"CopySource": source, "CopySourceRange": f"bytes={(number - 1) * part}-{last}"}
            done = client.upload_part_copy(**into, **asked, PartNumber=number, CopySourceIfMatch=f'"{found.etag}"')
            return {"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]}

        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                parts = list(pool.map(copied, range(1, -(-found.size // part) + 1)))
            client.complete_multipart_upload(**into, MultipartUpload={"Parts": parts})
        except BaseException:
            _abort(client, into)
            raise

    def drop(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove objects, many with one request; missing ones are passed over."""
        for first in range(0, len(keys), _BATCH):
            some = [{"Key": key} for key in keys[first : first + _BATCH]]
            with self.told(bucket, keys[first]) as client:
                done = client.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
            for trouble in done.get("Errors", ()):
                if trouble.get("Code") not in _ABSENT:
                    raise _refusal(bucket, str(trouble.get("Key")), *meant(str(trouble.get("Code")), 0))

    def abort(self, bucket: str, prefix: str, is_ours: Callable[[str], bool]) -> None:
        """End uploads in parts that nobody will finish: what came of them takes room and is seen nowhere."""
        with self.told(bucket, prefix) as client:
            try:
                for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
                    for each in page.get("Uploads", ()):
                        if is_ours(str(each["Key"])):
                            _abort(client, {"Bucket": bucket, "Key": each["Key"], "UploadId": each["UploadId"]})
            except exceptions.ClientError as error:
                if _code(error) != "NotImplemented":
                    raise

    def _client(self, access: Access, kind: Kind) -> Any:
        with self._lock:
            if (access, kind) not in self._made:
                self._made[access, kind] = _made(access, self._patience, kind)
            return self._made[access, kind]


def _next(page: Mapping[str, Any]) -> Mapping[str, str] | None:
    """How the next page is asked for; None after the last one."""
    if not page.get("IsTruncated"):
        return None
    if token := page.get("NextContinuationToken"):
        return {"ContinuationToken": str(token)}
    # A server that knows only the first version of this request answers the second one as if it were that.
    return {"Marker": str(page.get("NextMarker") or page["Contents"][-1]["Key"])}


def moment(answer: Mapping[str, Any]) -> datetime | None:
    """When the server gave this answer, by its own clock."""
    text = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _made(access: Access, patience: Patience, kind: Kind) -> Any:
    from botocore import UNSIGNED
    from botocore.config import Config

    answer = {"plain": patience.answer, "copy": patience.copy, "heartbeat": patience.heartbeat}[kind]
    config = Config(
        connect_timeout=min(patience.connect, answer),
        read_timeout=answer,
        retries={"mode": "standard", "total_max_attempts": 2 if kind == "heartbeat" else patience.attempts},
        max_pool_connections=4 * AT_ONCE,
        s3={"addressing_style": access.url_style},
        # Many servers that speak S3 do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **({} if access.access_key else {"signature_version": UNSIGNED}),
    )
    client = _session().client(
        "s3",
        endpoint_url=access.url,
        region_name=access.region,
        verify=access.ca_bundle or None,
        aws_access_key_id=access.access_key or None,
        aws_secret_access_key=access.secret_key or None,
        aws_session_token=access.session_token or None,
        config=config,
    )
    client.meta.events.register("before-call.s3.DeleteObjects", _with_md5)
    client.meta.events.register("before-call.s3.UploadPart", _with_type)
    return client


@cache
def _session() -> Any:
    """What all clients share: the description of the protocol, which takes longer to read than a job to run."""
    import boto3

    return boto3.session.Session()


def _with_md5(params: dict[str, Any], **_: object) -> None:
    """The checksum of a removal that every server knows; some refuse a request that has only a newer one."""
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _with_type(params: dict[str, Any], **_: object) -> None:
    """The type of a part: S3 asks for none, but who looks at bytes to find one looks at those of each part."""
    params["headers"].setdefault("Content-Type", _TYPE)


def _abort(client: Any, upload: Mapping[str, Any]) -> None:
    try:
        client.abort_multipart_upload(**upload)
    except exceptions.ClientError as error:
        if _code(error) not in _ABSENT:
            raise


def _code(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refusal(bucket: str, key: str, kind: type[StoreError], what: str, hint: str) -> StoreError:
    return kind(f"'{join(bucket, key) if key else bucket}': {what}", hint=hint)
