"""What a setting is, and how its text is read. What can't be read raises ValueError that says what may stand there."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

PREFIX = "HEADRACE_"
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(i?b)?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_MOST_THREADS = 1024
_MOST_KEPT = 1_000_000
_SHORTEST_LEASE, _LONGEST_LEASE = 1.0, 3600.0
_ENDPOINT = re.compile(r"(https?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?/?|(https?://)?\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?/?")
_URL = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_KEY = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,62}):([A-Za-z0-9+/]{43}=)")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOSTS = re.compile(r"([A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?)")
_CLAIM = re.compile(r"[!-+\--~]{1,200}")

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
        return PREFIX + re.sub(r"[.-]", "_", self.name).upper()


def parse_size(text: str) -> int:
    """Bytes from a text like 512MB or 4GiB; both kinds of unit count in 1024."""
    match = _SIZE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise ValueError("a size like 512MB or 4GB")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def size(text: str) -> str:
    """A size as it is written, or nothing."""
    if text:
        parse_size(text)
    return text


def port(text: str) -> int:
    """The number of a port."""
    return _whole(text, 65_535)


def lease(text: str) -> float:
    """How long a lease is, in seconds."""
    if not _SHORTEST_LEASE <= (found := seconds(text)) <= _LONGEST_LEASE:
        raise ValueError(f"a number of seconds from {_SHORTEST_LEASE:g} to {_LONGEST_LEASE:g}")
    return found


def threads(text: str) -> int:
    """How many there may be at once."""
    return _whole(text, _MOST_THREADS)


def kept(text: str) -> int:
    """How many of something are kept."""
    return _whole(text, _MOST_KEPT)


def seconds(text: str) -> float:
    """A length of time."""
    return _from_zero(text, "a number of seconds from 0")


def number(text: str) -> float:
    """A number that is not below 0."""
    return _from_zero(text, "a number from 0")


def flag(text: str) -> bool:
    """Yes or no."""
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError("true or false")
    return text.lower() in _TRUE


def url_style(text: str) -> str:
    """Where the name of a bucket stands."""
    return _one_of(text, "path", "virtual")


def tls(text: str) -> str:
    """How the server comes to its certificate."""
    return _one_of(text, "", "self-signed")


def log_format(text: str) -> str:
    """How the log of the server is written."""
    return _one_of(text, "text", "json")


def log_level(text: str) -> str:
    """What the log of the server holds at least."""
    return _one_of(text.lower(), "debug", "info", "warning", "error")


def endpoint(text: str) -> str:
    """An object storage, or nothing."""
    if text and not _ENDPOINT.fullmatch(text):
        raise ValueError("a host with or without port, like s3.example.org or http://127.0.0.1:8333")
    return text


def url(text: str) -> str:
    """The address of a server, without a slash at its end, or nothing."""
    if text and not _URL.fullmatch(text):
        raise ValueError("an address like https://flow.example.org or http://127.0.0.1:8080")
    return text.rstrip("/")


def issuer(text: str) -> str:
    """The address of who issues tokens, sign by sign as it stands in them, or nothing."""
    if text and not _URL.fullmatch(text):
        raise ValueError("an address like https://sso.example.org/realms/main or http://127.0.0.1:8081")
    return text


def hosts(text: str) -> str:
    """Names of hosts, parted by commas."""
    if not all(map(_HOSTS.fullmatch, words(text))):
        raise ValueError("hosts with or without port, parted by commas, like keys.example.org, 10.0.0.5:8443")
    return text


def claims(text: str) -> str:
    """Names of claims, parted by commas."""
    if not words(text) or not all(map(_CLAIM.fullmatch, words(text))):
        raise ValueError("names of claims, parted by commas, like realm_access.roles")
    return text


def bucket(text: str) -> str:
    """The name of a bucket."""
    if not _BUCKET.fullmatch(text):
        raise ValueError("3 to 63 of a-z, 0-9, '.' and '-', the first and the last a letter or a digit")
    return text


def keys(text: str) -> str:
    """Names with their keys, parted by commas or white space, or nothing."""
    named_keys(text)
    return text


def named_keys(text: str) -> dict[str, bytes]:
    """The bytes of each key by its name. What is wrong is told without them."""
    found: dict[str, bytes] = {}
    for word in text.replace(",", " ").split():
        match = _KEY.fullmatch(word)
        if match is None or match[1] in found:
            raise ValueError("names, each once, with keys of 32 bytes in Base64, like payments:<key>,people:<key>")
        found[match[1]] = base64.b64decode(match[2])
    return found


def words(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def path_prefix(text: str) -> str:
    """The beginning of a path, without a slash at its end, or nothing."""
    text = text.rstrip("/")
    if text and not _PREFIX.fullmatch(text):
        raise ValueError("the beginning of a path, like /flow, of letters, digits, -, _, . and ~")
    return text


def _one_of(text: str, *words: str) -> str:
    if text not in words:
        raise ValueError(" or ".join(word for word in words if word))
    return text


def _from_zero(text: str, what: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise ValueError(what)
    return found


def _whole(text: str, most: int) -> int:
    if not text.strip().isdecimal() or len(text) > 9 or int(text) > most:
        raise ValueError(f"a whole number from 0 to {most}")
    return int(text)
