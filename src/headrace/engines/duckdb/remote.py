"""Reading from object storage: what a connection is given for it, and what its failures mean.

Text goes through our own reader (`streams`), Parquet through the engine's extension. That is loaded from its installed
package, without the network, and only for a run that reads such objects. Keys stand in a secret of the connection; no
statement of a job ever holds one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import duckdb

from headrace.engines.dialects import DuckDbDialect
from headrace.errors import EngineFailed, RunFailed, SourceChanged, StoreDenied, StoreError
from headrace.plan.ops import Read
from headrace.stores.access import Access
from headrace.stores.base import Snapshot, StoredObject

if TYPE_CHECKING:
    from headrace.engines.duckdb.streams import Streams

SCHEME = "s3://"
STREAMS = "objects://"
SQL = DuckDbDialect()
_PACKAGE = "duckdb_extension_httpfs"
_SETTINGS = (
    "SET s3_url_compatibility_mode = true",  # a name is taken as it is: no pattern, no parameters behind a `?`
    "SET http_timeout = 30",
    "SET http_retries = 4",
    "SET http_retry_wait_ms = 200",
    "SET http_retry_backoff = 3",
    "SET enable_server_cert_verification = true",
    "SET enable_curl_server_cert_verification = true",
)
_STATUS = re.compile(r"HTTP (?:code |Error: )?\(?(?:HTTP )?(?:code )?(\d{3})|\(HTTP (\d{3})|HTTP code (\d{3})")
_AGAIN = "run again; if it stays, look at the endpoint"
_CHANGED = "run again when nobody writes there"


def streamed(
    reads: Mapping[int, Read], sources: Mapping[int, Snapshot], go_on: Callable[[], None]
) -> "tuple[Mapping[int, Snapshot], Streams | None]":
    """The sources, text files of object storage as streams; None when there are no such files."""
    if not any(each.origin for node_id in reads for each in sources[node_id].objects):
        return sources, None
    try:
        from headrace.engines.duckdb import streams
    except ModuleNotFoundError as error:
        raise EngineFailed(f"object storage needs the package {error.name}", hint="install headrace[s3]") from None
    return streams.streamed(reads, sources, go_on)


def prepare(con: duckdb.DuckDBPyConnection, objects: Iterable[StoredObject]) -> None:
    """Let the connection read those of the objects that lie in object storage, each bucket with its own keys."""
    there = [each for each in objects if each.location.startswith(SCHEME)]
    found = {each.bucket: each.origin.access(each.bucket) for each in there if each.origin is not None}
    if not found:
        return
    con.execute(f"LOAD {SQL.text(extension())}")
    for statement in _SETTINGS:
        con.execute(statement)
    bundles = {access.ca_bundle for access in found.values() if access.ca_bundle}
    if len(bundles) > 1:
        raise EngineFailed("the sources need different certificates", hint="put all of them into one s3_ca_bundle")
    for bundle in bundles:
        con.execute("SET ca_cert_file = $file", {"file": bundle})
    for number, (bucket, access) in enumerate(found.items()):
        try:
            con.execute(_secret(f"storage_{number}", bucket, access))
        except duckdb.Error:
            raise EngineFailed(f"the engine does not take the access to bucket '{bucket}'") from None


def extension() -> str:
    """The file of the extension that reads object storage."""
    spec = find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [
        file for folder in folders for file in Path(folder).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")
    ]
    if not files:
        told = f"object storage needs the package {_PACKAGE.replace('_', '-')}, version {duckdb.__version__}"
        raise EngineFailed(told, hint="install headrace[s3]")
    return str(files[0])


def _secret(name: str, bucket: str, access: Access) -> str:
    options = {
        "TYPE": "s3",
        "PROVIDER": "config",
        # With the slash: a bucket whose name only begins so is another one.
        "SCOPE": SQL.text(f"{SCHEME}{bucket}/"),
        "ENDPOINT": SQL.text(access.host),
        "REGION": SQL.text(access.region),
        "URL_STYLE": SQL.text("path" if access.url_style == "path" else "vhost"),
        "USE_SSL": str(access.tls).lower(),
        "KEY_ID": SQL.text(access.access_key),
        "SECRET": SQL.text(access.secret_key),
        **({"SESSION_TOKEN": SQL.text(access.session_token)} if access.session_token else {}),
    }
    return f"CREATE TEMPORARY SECRET {name} ({', '.join(f'{key} {value}' for key, value in options.items())})"


def meaning(error: Exception) -> tuple[type[RunFailed], str, str] | None:
    """What a failed read of object storage means, in place of the engine's text; None for other failures."""
    text = str(error)
    if not isinstance(error, duckdb.IOException) or not re.search(r"s3://|HTTP|https?://", text):
        return None
    if "ETag" in text:
        return SourceChanged, "it changed while it was read", _CHANGED
    found = _STATUS.search(text)
    status = int(next(filter(None, found.groups()))) if found else 0
    if status in (404, 412, 416):
        return SourceChanged, "it is gone, or has changed, since the run listed it", _CHANGED
    if status in (400, 401, 403):
        return StoreDenied, "the keys do not allow it to be read", "let them read below the prefix"
    what = f"the endpoint answers {status}" if status else "the endpoint does not answer, or ends its answer too early"
    return StoreError, what, _AGAIN


def mentions(stored: StoredObject, text: str) -> bool:
    """Whether a failure names the object by the address of a request."""
    if not stored.location.startswith(SCHEME) or "http" not in text:
        return False
    key = stored.location.removeprefix(f"{SCHEME}{stored.bucket}/")
    return f"/{key}'" in unquote(text)
