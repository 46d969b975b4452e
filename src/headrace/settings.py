"""Every setting, once: its name, default, meaning, and where its value came from.

A flag beats the environment (`HEADRACE_` and the name in capitals), which beats the TOML file (`headrace.toml` in the
current folder, or what `$HEADRACE_CONFIG` names), which beats the default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from headrace.errors import SettingInvalid

PREFIX = "HEADRACE_"
CONFIG = "HEADRACE_CONFIG"
FILE = "headrace.toml"
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?b)?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: how its text is read, what it is without one, what it does."""

    name: str
    default: Value
    read: Callable[[str], Value]
    help: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()


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


def parse_size(text: str) -> int:
    """Bytes from a text like 512MB or 4GiB; both kinds of unit count in 1024. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ValueError("a size like 512MB or 4GB")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def _size(text: str) -> str:
    if text:
        parse_size(text)
    return text


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("a whole number from 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError("a number of seconds from 0")
    return seconds


def _flag(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError("true or false")
    return text.lower() in _TRUE


SETTINGS = (
    Setting("data", "./headrace-data", str, "Folder of everything that Headrace keeps."),
    Setting("storage", "", str, "Folder of buckets. Without a value: `buckets` in the data folder."),
    Setting(
        "shared_storage",
        False,
        _flag,
        "Say that the storage folder may lie on a network file system, whose locks are known to work across machines.",
    ),
    Setting("threads", 0, _count, "Threads of a run. 0: one for each core that the process may use."),
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
    def temp_directory(self) -> Path:
        """The folder for what is spilled, absolute."""
        return Path(self["temp_directory"]).expanduser().absolute() if self["temp_directory"] else self.data / "tmp"


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], folder: Path) -> Settings:
    """The settings in force. Raises SettingInvalid that names the setting, its origin and what it may be."""
    file, path = _file(environment, folder)
    _known(file, str(path))
    _known(flags, "a flag")
    return Settings(tuple(_resolved(setting, flags, environment, file, path) for setting in SETTINGS))


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
    for text, origin in (
        (flag, f"flag --{setting.name.replace('_', '-')}"),
        (environment.get(setting.variable), f"environment {setting.variable}"),
        (file.get(setting.name), f"file {path}"),
    ):
        if text is not None:
            return Resolved(setting, _value(setting, text, origin), origin)
    return Resolved(setting, setting.default, "default")


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
    texts = {}
    for name, value in content.items():
        if isinstance(value, dict | list):
            raise SettingInvalid(f"{path}: {name} has to be one value", hint="write settings as name = value")
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts, path


def _known(given: Mapping[str, object], origin: str) -> None:
    for name in given:
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(BY_NAME)}"
            raise SettingInvalid(f"there is no setting {name!r} ({origin})", hint=hint)
