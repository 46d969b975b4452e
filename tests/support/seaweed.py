"""An object storage of the tests' own: SeaweedFS on ports of its own, with two identities."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from headrace.stores.access import Access
from headrace.stores.objects.client import Client, Patience, Sizes
from tests.support.services import free_ports

FULL = ("FULLACCESSKEY", "full/secret+key")
NARROW = ("NARROWACCESSKEY", "narrow/secret+key")
LIMITED = ("LIMITEDACCESSKEY", "limited/secret+key")
DOMAIN = "s3.localhost"
BUCKETS = ("lake", "other", "kill")
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seaweed:
    """A running server."""

    host: str
    pid: int = 0
    filer: str = ""
    secure: str = ""
    """Where the same is spoken over TLS, by a certificate of `authority`."""
    authority: str = ""

    def access(self, keys: tuple[str, str] = FULL) -> Access:
        return Access(self.host, False, "us-east-1", "path", "", *keys)

    def secure_access(self) -> Access:
        return Access(self.secure, True, "us-east-1", "path", self.authority, *FULL)

    def virtual_access(self) -> Access:
        """With the bucket in the host's name."""
        return replace(self.access(), host=f"{DOMAIN}:{self.host.partition(':')[2]}", url_style="virtual")

    def client(self) -> Client:
        return _client(self)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        with self.client().told(bucket, key) as client:
            client.put_object(Bucket=bucket, Key=key, Body=data)

    def fill(self, bucket: str, keys: Sequence[str]) -> None:
        """Many empty objects, by the server's own interface: ten times as quick."""

        def put(some: Sequence[str]) -> None:
            with closing(HTTPConnection(self.filer)) as connection:
                for key in some:
                    connection.request("PUT", f"/buckets/{bucket}/{key}", body=b"")
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 201

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, [keys[first::4] for first in range(4)]))

    def keys(self, bucket: str, folder: str = "") -> list[str]:
        """Every object there is, hidden ones too."""
        return sorted(str(raw["Key"]) for raw in self.client().pages(bucket, folder))

    def data(self, bucket: str, key: str) -> bytes:
        found = self.client().get(bucket, key)
        assert found is not None
        return found[0]

    def uploads(self, bucket: str) -> list[str]:
        """The keys of uploads in parts that were begun and not ended."""
        with self.client().told(bucket, "") as client:
            return [each["Key"] for each in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ())]

    def empty(self, *buckets: str) -> None:
        client = self.client()
        for bucket in buckets or BUCKETS:
            client.abort(bucket, "", lambda key: True)
            client.drop(bucket, self.keys(bucket))


@cache
def _client(server: Seaweed) -> Client:
    return Client(lambda bucket: server.access(), Patience(), Sizes())


def binary() -> str | None:
    """The server's program: of this environment, or on the path."""
    own = Path(sys.executable).with_name("weed")
    return str(own) if own.exists() else shutil.which("weed")


@contextmanager
def running(program: str, folder: Path) -> Iterator[Seaweed]:
    """A server that is up, with its buckets, until the context ends."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": _identities()}))
    _certify(folder)
    ports = free_ports(9)
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"]
    names += ["filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc", "s3.port.https"]
    options = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    fixed = (
        f"-dir={folder / 'data'} -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.config={folder / 's3.json'} "
        "-s3.iam=false -s3.port.iceberg=0 -s3.port.lance=0 -s3.autoCreateBucket=false -master.telemetry=false "
        f"-s3.cert.file={folder / 'server.pem'} -s3.key.file={folder / 'server.key'} -s3.domainName={DOMAIN} "
        "-master.volumeSizeLimitMB=256 -volume.max=0"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "server", *fixed.split(), *options], cwd=folder, stdout=log, stderr=log)
        try:
            hosts = [f"127.0.0.1:{ports[index]}" for index in (6, 4, 8)]
            found = Seaweed(hosts[0], server.pid, hosts[1], hosts[2], str(folder / "ca.pem"))
            _wait(server, found, folder / "log")
            yield found
        finally:
            server.kill()
            server.wait()


def _certify(folder: Path) -> None:
    """An authority of our own, and its certificate for the server."""
    from trustme import CA

    authority = CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))


def _identities() -> list[dict[str, Any]]:
    def identity(name: str, keys: tuple[str, str], actions: list[str]) -> dict[str, Any]:
        return {"name": name, "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}], "actions": actions}

    return [
        identity("full", FULL, ["Admin", "Read", "Write", "List", "Tagging"]),
        identity("limited", LIMITED, ["Read:lake", "Write:lake", "List:lake"]),
        # Above the prefix a run asks whether somebody else writes or publishes there.
        identity(
            "narrow",
            NARROW,
            ["List:lake", "Read:lake/_headrace*", *(f"{verb}:lake/open/*" for verb in ("Read", "Write"))],
        ),
    ]


def _wait(server: subprocess.Popen[bytes], found: Seaweed, log: Path) -> None:
    """Until the buckets are made and take an object: the server answers some time before it can do that."""
    from botocore.exceptions import BotoCoreError, ClientError

    hasty = Client(lambda bucket: found.access(), Patience(answer=10, attempts=1), Sizes())
    until = time.monotonic() + _START_SECONDS
    waiting = list(BUCKETS)
    while waiting:
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the server does not start:\n" + log.read_text()[-2000:])
        client = hasty._client(found.access(), "plain")  # its errors are looked at here as they are
        try:
            client.create_bucket(Bucket=waiting[0])
            client.put_object(Bucket=waiting[0], Key="first", Body=b"x")
            waiting.pop(0)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
                with_data = client.list_objects_v2(Bucket=waiting[0]).get("Contents")
                if with_data:
                    waiting.pop(0)
                else:
                    client.delete_bucket(Bucket=waiting[0])
            time.sleep(0.2)
        except BotoCoreError:
            time.sleep(0.2)
