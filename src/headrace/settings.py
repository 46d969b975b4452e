"""Every setting, once: its name, default, meaning, and where its value came from.

A flag beats the environment (`HEADRACE_` and the name in capitals), which beats the TOML file (`headrace.toml` in the
current folder, or what `$HEADRACE_CONFIG` names), which beats the default. A secret may also stand in a file of its
own: the environment or the TOML file then names that file, as `HEADRACE_<NAME>_FILE` or `<name>_file`.

Tables `[storages.<name>]` of the TOML file describe further object storages. Their values are settings too, named
`storages.<name>.<setting>`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headrace.errors import SettingInvalid
from headrace.nx1_settings import NX1_SETTINGS
from headrace.readings import PREFIX as PREFIX
from headrace.readings import Setting as Setting
from headrace.readings import Value as Value
from headrace.readings import endpoint as _endpoint
from headrace.readings import flag as _flag
from headrace.readings import kept as _kept
from headrace.readings import keys as _keys
from headrace.readings import lease as _lease
from headrace.readings import log_format as _log_format
from headrace.readings import log_level as _log_level
from headrace.readings import number as _number
from headrace.readings import parse_size as parse_size
from headrace.readings import path_prefix as _path_prefix
from headrace.readings import port as _port
from headrace.readings import seconds as _seconds
from headrace.readings import size as _size
from headrace.readings import threads as _threads
from headrace.readings import tls as _tls
from headrace.readings import url as _url
from headrace.readings import url_style as _url_style

CONFIG = "HEADRACE_CONFIG"
FILE = "headrace.toml"
_TABLES = "storages"
_TABLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A setting with the value in force and where that came from."""

    setting: Setting
    value: Value
    origin: str

    @property
    def shown(self) -> str:
        """The value for people: a secret is never shown."""
        if self.setting.secret:
            return "(set)" if self.value else "(not set)"
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


@dataclass(frozen=True, slots=True)
class StorageTable:
    """One object storage as it is set: `values` by the names of the `s3_` settings without that, and what it is for."""

    name: str
    values: Mapping[str, Value]
    uses: Mapping[str, tuple[str, ...]]


_STORAGE_SETTINGS = (
    Setting(
        "endpoint",
        "",
        _endpoint,
        "Host and port of S3-compatible object storage. A scheme before it decides in place of `s3_tls`.",
    ),
    Setting("access_key", "", str, "The access key. Without one, requests are not signed: for buckets open to all."),
    Setting("secret_key", "", str, "The secret key.", secret=True),
    Setting("session_token", "", str, "The session token that came with temporary keys.", secret=True),
    Setting(
        "region", "", str, "The region's name in signatures. Without a value: `us-east-1`, which most servers take."
    ),
    Setting("url_style", "path", _url_style, "Where the bucket stands: in the path, or in the host (`virtual`)."),
    Setting("tls", True, _flag, "Speak TLS with the endpoint, and check its certificate."),
    Setting("ca_bundle", "", str, "A file of certificates to trust in place of the system's own."),
)
_STORAGE_USES = (
    Setting("buckets", "", str, "The buckets that lie in this storage."),
    Setting("nrn", "", str, "The `nrn` of the jobs that use this storage."),
    Setting("region_no", "", str, "The `regionNo` of the nodes that mean this storage."),
)


SETTINGS = (
    Setting("data", "./headrace-data", str, "Folder of everything that Headrace keeps."),
    Setting(
        "storage",
        "",
        str,
        "Folder of buckets. Without a value: object storage when one is set, else `buckets` in the data folder.",
    ),
    Setting(
        "shared_storage",
        False,
        _flag,
        "Say that the storage folder may lie on a network file system, whose locks are known to work across machines.",
    ),
    Setting("threads", 0, _threads, "Threads of a run. 0: one for each core that the process may use."),
    Setting(
        "memory_limit",
        "",
        _size,
        "Memory that the engine may use before it spills to the temporary folder. Without a value: 60% of what the "
        "process may have.",
    ),
    Setting("temp_directory", "", str, "Folder for what is spilled. Without a value: `tmp` in the data folder."),
    Setting("temp_size", "", _size, "The most that may be spilled. Without a value: 90% of the free room there."),
    Setting("writer_wait", 10.0, _seconds, "Seconds that a run waits for another one that writes to the same place."),
    Setting(
        "read_back",
        False,
        _flag,
        "Read every written file again before it is published, and fail the run when the rows are not as many.",
    ),
    Setting(
        "encryption_keys",
        "",
        _keys,
        "The keys that columns are encrypted with: `name:key`, parted by commas or white space. A key is 32 bytes in "
        "Base64, as `openssl rand -base64 32` gives. Jobs know the names alone.",
        secret=True,
    ),
    Setting("host", "127.0.0.1", str, "Address that the server listens on. `0.0.0.0` is every one of the machine."),
    Setting("port", 8080, _port, "Port that the server listens on. 0 takes one that is free."),
    Setting("insecure_http", False, _flag, "Listen without TLS on more than the loopback: bodies are not signed."),
    Setting("tls_cert", "", str, "File of the certificate, with those that lead to it, as PEM: speak TLS."),
    Setting("tls_key", "", str, "File of the private key of `tls_cert`, as PEM, without a password."),
    Setting("tls", "", _tls, "`self-signed`: speak TLS with a certificate that the server makes in the data folder."),
    Setting(
        "path_prefix",
        "",
        _path_prefix,
        "What the paths of requests begin with when a proxy puts the server below a path of its own, like `/flow`. "
        "Clients sign it with the rest; the proxy may take it away or not.",
    ),
    Setting(
        "metrics_token",
        "",
        str,
        "What `/metrics` is asked with, as `Authorization: Bearer`. Without a value: it answers this machine alone.",
        secret=True,
    ),
    Setting(
        "metrics_port",
        0,
        _port,
        "Port of the loopback where `headrace worker` tells its figures, as `serve` does at `/metrics`. 0: nowhere.",
    ),
    Setting("log_level", "info", _log_level, "What the server logs at least. `debug` has each reading request, too."),
    Setting("log_format", "text", _log_format, "How the server logs: a line for people, or a JSON object a line."),
    Setting(
        "url",
        "",
        _url,
        "Address of the server that `headrace jobs` asks. Without a value: the database, on this machine.",
    ),
    Setting("access_key", "", str, "The access key that `headrace jobs` signs with."),
    Setting("access_secret", "", str, "The secret key of `access_key`.", secret=True),
    Setting("ca_file", "", str, "A file of certificates to trust when `url` is asked, in place of the system's own."),
    Setting(
        "database",
        "",
        str,
        "Address of the server's own database, like `postgresql+psycopg://user@host/name`. Without a value: the SQLite "
        "file `headrace.db` in the data folder.",
        secret=True,
    ),
    Setting("workers", 0, _threads, "Runs that a worker does at once, each in its own process. 0: one for each core."),
    Setting(
        "run_memory_limit",
        "",
        _size,
        "Memory that the process of a run may have, with all that it has started, under a worker; one that has more is "
        "ended. Without a value: 90% of what the worker may have, shared among its runs.",
    ),
    Setting("lease_seconds", 15.0, _lease, "Seconds after which a run whose worker is gone goes to another one."),
    Setting(
        "grace_seconds",
        10.0,
        _seconds,
        "Seconds that a run has to end when it is cancelled or over its time, and that the runs under way have when "
        "the server is stopped; then their processes are killed.",
    ),
    Setting(
        "secret_key",
        "",
        str,
        "The key that secrets in the database are encrypted with: 32 bytes in Base64. Further keys after a comma open "
        "what was encrypted before. Without a value: the file `secret.key` in the data folder.",
        secret=True,
    ),
    Setting(
        "first_access_key", "", str, "An access key to keep at the first start, in place of making one.", secret=True
    ),
    Setting("first_secret_key", "", str, "The secret of that access key.", secret=True),
    Setting("body_limit", "5MB", _size, "The most that the body of a request may have."),
    Setting("rate_limit", 200.0, _number, "Requests that one access key may send in a second. 0: any number."),
    Setting("rate_burst", 400.0, _number, "Requests that one access key may send at once, after a rest."),
    Setting("keep_days", 90.0, _number, "Days for which an execution is kept after its end. 0: for ever."),
    Setting("keep_executions", 1000, _kept, "How many ended executions of a job are kept. 0: any number."),
    Setting("keep_audit_days", 365.0, _number, "Days for which a row of the audit log is kept. 0: for ever."),
    *NX1_SETTINGS,
    *(replace(setting, name=f"s3_{setting.name}") for setting in _STORAGE_SETTINGS),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their values in force."""

    resolved: tuple[Resolved, ...]

    def __getitem__(self, name: str) -> Any:
        return next(r.value for r in self.resolved if r.setting.name == name)

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return Path(self["data"]).expanduser().absolute()

    @property
    def storage(self) -> Path:
        """The folder of buckets, absolute."""
        return Path(self["storage"]).expanduser().absolute() if self["storage"] else self.data / "buckets"

    @property
    def database(self) -> str:
        """The address of the server's own database."""
        return str(self["database"]) or f"sqlite:///{self.data / 'headrace.db'}"

    @property
    def storages(self) -> tuple[StorageTable, ...]:
        """The object storages that the file describes in tables."""
        tables: dict[str, StorageTable] = {}
        for each in self.resolved:
            first, _, rest = each.setting.name.partition(".")
            if first == _TABLES and rest:
                name, _, field = rest.partition(".")
                table = tables.setdefault(name, StorageTable(f"{_TABLES}.{name}", {}, {}))
                if field in (use.name for use in _STORAGE_USES):
                    texts = tuple(text.strip() for text in str(each.value).split(",") if text.strip())
                    tables[name] = replace(table, uses={**table.uses, field: texts})
                else:
                    tables[name] = replace(table, values={**table.values, field: each.value})
        return tuple(tables.values())

    @property
    def temp_directory(self) -> Path:
        """The folder for what is spilled, absolute."""
        return Path(self["temp_directory"]).expanduser().absolute() if self["temp_directory"] else self.data / "tmp"


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], folder: Path) -> Settings:
    """The settings in force. Raises SettingInvalid that names the setting, its origin and what it may be."""
    file, path = _file(environment, folder)
    settings = (*SETTINGS, *_of_tables(file, path))
    _known(file, str(path), {setting.name: setting for setting in settings})
    _known(flags, "a flag", BY_NAME)
    return Settings(tuple(_resolved(setting, flags, environment, file, path) for setting in settings))


def current_settings(flags: Mapping[str, str | None]) -> Settings:
    """The settings in force in this process."""
    return load_settings(flags, os.environ, Path.cwd())


def _resolved(
    setting: Setting,
    flags: Mapping[str, str | None],
    environment: Mapping[str, str],
    file: Mapping[str, str],
    path: Path,
) -> Resolved:
    flag = flags.get(setting.name)
    if setting.secret and flag is not None:
        hint = f"set {setting.variable}, or {setting.variable}_FILE to the path of a file that holds it"
        raise SettingInvalid(f"{setting.name} can't be a flag: others can see it in the list of processes", hint=hint)
    in_file = ("environment ", environment.get(f"{setting.variable}_FILE"), f"{setting.variable}_FILE")
    named = ("file ", file.get(f"{setting.name}_file"), f"{setting.name}_file in {path}")
    for text, origin, (kind, other, where) in (
        (flag, f"flag --{setting.name.replace('_', '-')}", ("", None, "")),
        (environment.get(setting.variable), f"environment {setting.variable}", in_file),
        (file.get(setting.name), f"file {path}", named),
    ):
        if setting.secret and other is not None:
            if text is not None:
                raise SettingInvalid(f"{setting.name} is set twice: {origin}, and {where}", hint="take one away")
            return Resolved(setting, _value(setting, _content(setting, other, where), where), kind + where)
        if text is not None:
            return Resolved(setting, _value(setting, text, origin), origin)
    return Resolved(setting, setting.default, "default")


def _content(setting: Setting, path: str, where: str) -> str:
    """The secret in a file, without the line break that editors leave at its end."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise SettingInvalid(f"{setting.name}: the file {path} ({where}) can't be read: {reason}") from None


def _value(setting: Setting, text: str, origin: str) -> Value:
    try:
        return setting.read(text)
    except ValueError as error:
        shown = "its value" if setting.secret else repr(text)
        raise SettingInvalid(f"{setting.name}: {shown} ({origin}) can't be", hint=f"it is {error}") from None


def _file(environment: Mapping[str, str], folder: Path) -> tuple[dict[str, str], Path]:
    named = environment.get(CONFIG)
    path = Path(named).expanduser() if named else folder / FILE
    if not path.exists():
        if named:
            raise SettingInvalid(f"there is no file {path}", hint=f"{CONFIG} names it")
        return {}, path
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingInvalid(f"{path} can't be read: {error}") from None
    tables = content.pop(_TABLES, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingInvalid(f"{path}: {_TABLES} has to be tables", hint=f"write [{_TABLES}.NAME]")
    texts = _texts(content, path, "")
    for name, table in tables.items():
        if not _TABLE.fullmatch(name):
            raise SettingInvalid(f"{path}: {name!r} can't be the name of a storage", hint="use a-z, 0-9, - and _")
        texts.update(_texts(table, path, f"{_TABLES}.{name}."))
    return texts, path


def _texts(content: Mapping[str, object], path: Path, before: str) -> dict[str, str]:
    """The values as texts, as they would stand in the environment."""
    lists = [use.name for use in _STORAGE_USES] if before else []
    texts = {}
    for name, value in content.items():
        if name in lists and isinstance(value, list) and all(isinstance(one, str | int) for one in value):
            value = ",".join(map(str, value))
        if isinstance(value, dict | list):
            raise SettingInvalid(f"{path}: {before}{name} has to be one value", hint="write settings as name = value")
        texts[before + name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def _of_tables(file: Mapping[str, str], path: Path) -> list[Setting]:
    """The settings that the tables of the file bring."""
    names = dict.fromkeys(name.rpartition(".")[0] for name in file if name.startswith(f"{_TABLES}."))
    for name in names:
        if not file.get(f"{name}.endpoint"):
            raise SettingInvalid(f"{path}: [{name}] has no endpoint", hint='write endpoint = "host:port"')
    return [
        replace(each, name=f"{name}.{each.name}") for name in names for each in (*_STORAGE_SETTINGS, *_STORAGE_USES)
    ]


def _known(given: Mapping[str, object], origin: str, settings: Mapping[str, Setting]) -> None:
    for name in given:
        secret = settings.get(name.removesuffix("_file"))
        if name not in settings and not (secret is not None and secret.secret):
            near = get_close_matches(name, settings, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(settings)}"
            raise SettingInvalid(f"there is no setting {name!r} ({origin})", hint=hint)
