"""Secrets as they lie in the database: AES-256-GCM, under a key that the database does not hold.

A sealed text is `v1.<key id>.<nonce and ciphertext>`. The key id is drawn from the key itself, so that keys need no
names: the first key seals, all of them open. To rotate, put a new key in front, seal everything again, drop the old.
What a secret belongs to is part of the seal: a row's secret moved into another row does not open.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from headrace.errors import HeadraceError, SettingInvalid

KEY_BYTES = 32
KEY_FILE = "secret.key"
_NONCE_BYTES = 12
_VERSION = "v1"


class SecretUnreadable(HeadraceError):
    """A sealed secret can't be opened: its key is gone, or it is not what was sealed."""

    code = "secret-unreadable"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys, the one that seals first. Their bytes never show in a representation."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, *keys: bytes) -> "Secrets":
        """Secrets under these keys of 32 bytes, the newest first."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"one or more keys of {KEY_BYTES} bytes")
        return cls({key_id(key): key for key in keys})

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def seal(self, text: str, *, owner: str) -> str:
        """The text, sealed for what it belongs to."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.current]).encrypt(nonce, text.encode(), _bound(self.current, owner))
        return f"{_VERSION}.{self.current}.{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def open(self, sealed: str, *, owner: str) -> str:
        """The text that was sealed for this owner. Raises SecretUnreadable."""
        version, _, rest = sealed.partition(".")
        name, _, body = rest.partition(".")
        key = self.keys.get(name)
        if version != _VERSION or key is None:
            hint = f"put the key that it was sealed with into {KEY_FILE} or HEADRACE_SECRET_KEY, after the newest"
            raise SecretUnreadable("a secret was sealed with a key that is not here", hint=hint)
        try:
            raw = base64.urlsafe_b64decode(body)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(name, owner)).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable("a secret is not as it was sealed", hint="restore it, or make a new one") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key sealed it; what it did not is sealed again in a rotation."""
        return sealed.startswith(f"{_VERSION}.{self.current}.")


def key_id(key: bytes) -> str:
    """Eight signs that tell one key from another and nothing about it."""
    return hashlib.sha256(b"headrace key id\0" + key).hexdigest()[:8]


def new_key() -> str:
    """A fresh key as it stands in the key file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode("ascii")


def parse_keys(text: str, origin: str) -> Secrets:
    """Keys from text: Base64 of 32 bytes each, parted by white space or commas. Raises SettingInvalid."""
    try:
        return Secrets.of(*(base64.b64decode(word, validate=True) for word in text.replace(",", " ").split()))
    except (binascii.Error, ValueError):
        hint = "each is 32 bytes in Base64, as `openssl rand -base64 32` gives"
        raise SettingInvalid(f"{origin} holds no key, or one of a wrong length", hint=hint) from None


def load_secrets(data: Path, given: str = "") -> Secrets:
    """The keys given by setting, else those of the key file in the data folder, which is made at the first start."""
    if given:
        return parse_keys(given, "the setting secret_key")
    path = data / KEY_FILE
    if not path.exists():
        _create(path)
    if path.stat().st_mode & 0o077:
        raise SettingInvalid(f"others may read {path}", hint=f"chmod 600 {path}")
    return parse_keys(path.read_text(encoding="ascii", errors="replace"), str(path))


def _create(path: Path) -> None:
    """A key file that is there whole or not at all; when two make one at once, the first stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        _sync(path.parent)
    finally:
        draft.unlink()


def _sync(folder: Path) -> None:
    """Put the folder's entries on disk: a key that is lost with the power loses every secret."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bound(name: str, owner: str) -> bytes:
    return f"headrace {_VERSION} {name} {owner}".encode()
