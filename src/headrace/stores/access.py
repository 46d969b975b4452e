"""How a bucket of object storage is reached: endpoint and keys, chosen by bucket, `nrn` or `regionNo`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from headrace.errors import SettingInvalid, StoreDenied, StoreMissing
from headrace.settings import Settings, StorageTable

UrlStyle = Literal["path", "virtual"]
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Access:
    """One endpoint with the keys to it. What it looks like never shows a key."""

    host: str
    tls: bool
    region: str
    url_style: UrlStyle
    ca_bundle: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The endpoint as an address."""
        return f"{'https' if self.tls else 'http'}://{self.host}"


@dataclass(frozen=True, slots=True)
class Storage:
    """One storage of the settings, and what it is used for; one without any use is the default."""

    name: str
    access: Access
    buckets: tuple[str, ...] = ()
    nrns: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Storages:
    """All storages of the settings. A bucket's own one comes first, then that of the `nrn`, then the region's."""

    known: tuple[Storage, ...]

    def of(self, bucket: str, *, region: str = "", nrn: str = "") -> Access:
        """How to reach a bucket. Raises StoreMissing when no storage is meant for it."""
        for uses, wanted in (("buckets", bucket), ("nrns", nrn), ("regions", region)):
            found = [each for each in self.known if wanted and wanted in getattr(each, uses)]
            if found:
                return found[0].access
        default = [each for each in self.known if not (each.buckets or each.nrns or each.regions)]
        if default:
            return default[0].access
        shown = f" in region {region}" if region else ""
        raise StoreMissing(f"no storage is set for bucket '{bucket}'{shown}", hint=f"there are: {self._names()}")

    def _names(self) -> str:
        return ", ".join(each.name for each in self.known)


@dataclass(frozen=True, slots=True)
class JobAccess:
    """How one job reaches its buckets: the region of each is the one that the job's nodes name."""

    storages: Storages
    regions: Mapping[str, str]
    nrn: str = ""

    def __call__(self, bucket: str) -> Access:
        """How to reach a bucket."""
        return self.storages.of(bucket, region=self.regions.get(bucket, ""), nrn=self.nrn)


def job_access(storages: Storages, places: Iterable[tuple[str, str]], *, nrn: str) -> JobAccess:
    """The access of a job with these (bucket, region) pairs. One bucket's name can't mean two storages in one job.

    Raises StoreDenied for an `nrn` without credentials, once any has them: a job never gets others than it asked for.
    """
    mapped = [each for storage in storages.known for each in storage.nrns]
    if nrn and mapped and nrn not in mapped:
        raise StoreDenied(f"no storage is set for {nrn}", hint="name it in a storage of the settings, or leave it out")
    regions: dict[str, str] = {}
    for bucket, region in places:
        other = regions.setdefault(bucket, region)
        if storages.of(bucket, region=region, nrn=nrn) != storages.of(bucket, region=other, nrn=nrn):
            hint = "use one regionNo, or give the storage a list of buckets"
            raise StoreMissing(f"bucket '{bucket}' lies in two storages, by regions {other} and {region}", hint=hint)
    return JobAccess(storages, regions, nrn)


def mapped_nrns(settings: Settings) -> tuple[str, ...]:
    """Every `nrn` that has credentials; with a folder as storage there are none to have."""
    known = () if settings["storage"] else storages(settings).known
    return tuple(nrn for each in known for nrn in each.nrns)


def storages(settings: Settings) -> Storages:
    """The storages that the settings name: each table, and the `s3_` settings as the default one."""
    tables = [_storage(table) for table in settings.storages]
    _refuse_doubles(tables)
    own = [_storage(_default(settings))] if settings["s3_endpoint"] else []
    return Storages((*tables, *own))


def _default(settings: Settings) -> StorageTable:
    names = ("endpoint", "access_key", "secret_key", "session_token", "region", "url_style", "tls", "ca_bundle")
    return StorageTable("s3_endpoint", {name: settings[f"s3_{name}"] for name in names}, {})


def _storage(table: StorageTable) -> Storage:
    values = table.values
    scheme, separator, host = str(values["endpoint"]).rpartition("://")
    if bool(values["access_key"]) != bool(values["secret_key"]):
        hint = "set both, or neither for a bucket that everybody may read"
        raise SettingInvalid(f"{table.name}: one of access key and secret key is not set", hint=hint)
    access = Access(
        host=host.rstrip("/"),
        tls=scheme == "https" if separator else bool(values["tls"]),
        region=str(values["region"]) or _DEFAULT_REGION,
        url_style=cast(UrlStyle, values["url_style"]),
        ca_bundle=str(values["ca_bundle"]),
        access_key=str(values["access_key"]),
        secret_key=str(values["secret_key"]),
        session_token=str(values["session_token"]),
    )
    uses = table.uses
    return Storage(table.name, access, uses.get("buckets", ()), uses.get("nrn", ()), uses.get("region_no", ()))


def _refuse_doubles(tables: Sequence[Storage]) -> None:
    for uses in ("buckets", "nrns", "regions"):
        seen: dict[str, str] = {}
        for each in tables:
            for name in getattr(each, uses):
                if name in seen:
                    raise SettingInvalid(f"{name!r} stands in the storages {seen[name]} and {each.name}")
                seen[name] = each.name
    plain = [each.name for each in tables if not (each.buckets or each.nrns or each.regions)]
    if plain:
        hint = "name buckets, nrn or region_no; the default storage is the one of the s3_ settings"
        raise SettingInvalid(f"the storage {plain[0]} is used for nothing", hint=hint)
