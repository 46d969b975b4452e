"""What the doctor looks at around the server: storages, port, certificate, the issuer of tokens, packages."""

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib import metadata
from pathlib import Path

from headrace import mounts
from headrace.auth.bearer import LEEWAY_SECONDS, read_keys
from headrace.auth.discovery import published_keys, told_at, way_to_issuer
from headrace.clock import Clock
from headrace.errors import HeadraceError
from headrace.execution.places import opened
from headrace.ids import new_id
from headrace.plan.ops import Place
from headrace.service.findings import Finding, bad, good, poor
from headrace.service.listening import is_loopback
from headrace.service.tls import FOLDER, Certificate
from headrace.settings import Settings
from headrace.stores.access import Access, Storage
from headrace.stores.access import storages as known_storages
from headrace.stores.names import OURS

_SECONDS = 3.0
_MOST_SKEW = 5.0
_SOON = timedelta(days=14)


def packages(settings: Settings) -> Iterator[Finding]:
    """The optional ones, and whether the settings need them."""
    on_objects = bool(known_storages(settings).known) and not settings["storage"]
    on_postgresql = settings.database.startswith("postgresql")
    encrypts = bool(settings["encryption_keys"])
    for name, extra, needed in (
        ("boto3", "s3", on_objects),
        ("duckdb-extension-httpfs", "s3", on_objects),
        ("psycopg", "postgresql", on_postgresql),
        ("numpy", "encrypt", encrypts),
        ("pyarrow", "encrypt", encrypts),
    ):
        try:
            yield good("package", f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            if needed:
                yield bad("package", f"{name} is not installed", f"install headrace[{extra}]")
            else:
                yield good("package", f"{name} is not installed, and not needed")


def storages(settings: Settings) -> Iterator[Finding]:
    """The folder of buckets, or each object storage with the buckets that are named for it."""
    found = known_storages(settings).known
    if settings["storage"] or not found:
        yield from _folder(settings)
        return
    for each in found:
        yield from _objects(settings, each)


def _folder(settings: Settings) -> Iterator[Finding]:
    root = settings.storage
    if not root.is_dir():
        yield poor(
            "storage", f"there is no folder {root}", "make it, with a folder for each bucket, or set s3_endpoint"
        )
        return
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        yield bad("storage", f"this user may not read and write {root}", "change its owner or its mode")
        return
    buckets = [entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    shut = [entry.name for entry in buckets if not os.access(entry, os.W_OK | os.X_OK)]
    if shut:
        yield poor("storage", f"this user may not write in {', '.join(sorted(shut))}", "jobs can only read there")
    if mounts.on_network(os.path.realpath(root)) and not settings["shared_storage"]:
        hint = "use a local disk or object storage, or set shared_storage when all machines share its locks"
        yield bad("storage", f"{root} lies on a network file system", hint)
    yield good("storage", f"the folder {root} with {len(buckets)} buckets")


def _objects(settings: Settings, storage: Storage) -> Iterator[Finding]:
    part, access = f"storage {storage.name}", storage.access
    if not _reaches(access):
        yield bad(part, f"{access.url} can't be reached", "is it up, and is the endpoint right?")
        return
    yield good(part, f"{access.url} is there")
    if not storage.buckets:
        yield good(part, "no bucket is named for it: which rights its keys have is not known")
    for bucket in storage.buckets:
        try:
            _try(settings, bucket)
        except HeadraceError as error:
            yield bad(part, f"bucket {bucket}: {error.message}", error.hint)
        else:
            yield good(part, f"bucket {bucket} can be listed, written and cleaned")


def _reaches(access: Access) -> bool:
    host, _, port = access.host.removesuffix("]").rpartition(":") if _has_port(access.host) else (access.host, "", "")
    number = int(port) if port else 443 if access.tls else 80
    try:
        socket.create_connection((host.strip("[]"), number), timeout=_SECONDS).close()
    except OSError:
        return False
    return True


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdecimal() and not host.endswith("]")


def _try(settings: Settings, bucket: str) -> None:
    store = opened(settings, places=[Place(bucket, "")])
    key = f"{OURS}/doctor-{new_id()}"
    store.listing(bucket, OURS)
    store.write(bucket, key, b"")
    store.remove(bucket, [key], within="")


def tls(settings: Settings, *, now: datetime) -> Iterator[Finding]:
    """The certificate that the settings name."""
    if settings["tls"]:
        own = settings.data / FOLDER / "cert.pem"
        yield good("tls", f"a certificate of the server's own making, {own}")
    if not settings["tls_cert"]:
        open_to_all = not settings["tls"] and not is_loopback(settings["host"])
        if open_to_all and settings["insecure_http"]:
            yield poor(
                "tls", f"others reach {settings['host']} without TLS", "bodies are not signed: use TLS, or a proxy"
            )
        elif open_to_all:
            yield bad(
                "tls", f"{settings['host']} is reached by others, and there is no TLS", "set tls_cert and tls_key"
            )
        return
    from cryptography.x509 import load_pem_x509_certificate

    named = Certificate(Path(settings["tls_cert"]).expanduser(), Path(settings["tls_key"]).expanduser())
    named.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    until = load_pem_x509_certificate(named.cert.read_bytes()).not_valid_after_utc
    told = f"{named.cert} is valid until {until:%Y-%m-%d}"
    if until < now:
        yield bad("tls", told, "renew it, then: kill -HUP")
    elif until - now < _SOON:
        yield poor("tls", told, "renew it, then: kill -HUP")
    else:
        yield good("tls", told)


def issuer(settings: Settings, *, clock: Clock) -> Iterator[Finding]:
    """Who issues the bearer tokens: whether it answers, publishes keys that are of use, and has the same time."""
    address = settings["oidc_issuer"]
    if not address:
        yield good("issuer", "the server gives tokens itself, to what `headrace clients` makes")
        return
    if not settings["oidc_audience"]:
        yield bad("issuer", "oidc_audience has no value", "set what stands in aud of the issuer's tokens")
    try:
        outbound = way_to_issuer(settings)
        keys = read_keys(published_keys(address, outbound))
        told = told_at(address, outbound)
    except HeadraceError as error:
        yield bad("issuer", f"{address}: {error.message}", error.hint or "is it up, and is oidc_issuer right?")
        return
    if not keys:
        yield bad("issuer", f"{address} publishes no key that tokens can be checked with", "let it sign by RS256")
    else:
        yield good("issuer", f"{address} is there, and publishes keys that tokens can be checked with: {len(keys)}")
    if told is not None:
        yield _same_time((told - clock.now()).total_seconds())


def _same_time(skew: float) -> Finding:
    seen = f"its clock is {skew:+.0f} s from this machine's"
    if abs(skew) >= LEEWAY_SECONDS:
        return bad("issuer", seen, f"set both clocks by NTP: tokens are refused beyond {LEEWAY_SECONDS:.0f} s")
    if abs(skew) >= _MOST_SKEW:
        return poor("issuer", seen, "set both clocks by NTP")
    return good("issuer", seen)


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the port is free, or what answers there."""
    host, number = settings["host"], settings["port"]
    if not number:
        yield good("port", "any that is free")
        return
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    told = f"{host} port {number}"
    try:
        socket.create_connection((near, number), timeout=_SECONDS).close()
    except ConnectionRefusedError:
        yield good("port", f"{told} is free")
        return
    except OSError as error:
        yield bad("port", f"{told}: {error.strerror or error}", "set host to an address of this machine")
        return
    if _is_live(near, number):
        yield good("port", f"a Headrace server answers at {told}")
    else:
        yield bad("port", f"something else listens at {told}", "end it, or set port")


def _is_live(host: str, number: int) -> bool:
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE  # who it is does not matter here
    for connection in (
        HTTPConnection(host, number, timeout=_SECONDS),
        HTTPSConnection(host, number, timeout=_SECONDS, context=anyone),
    ):
        with suppress(OSError, HTTPException), closing(connection):
            connection.request("GET", "/livez")
            if connection.getresponse().read() == b'{"status":"live"}':
                return True
    return False
