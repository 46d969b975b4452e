"""A store of each kind with what lies in it, filled and looked at behind the store's back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from headrace.stores.base import Store
from headrace.stores.files import FolderStore
from headrace.stores.objects import ObjectStore
from headrace.stores.objects.client import Sizes
from tests.support.publishing import BUCKET
from tests.support.seaweed import Seaweed
from tests.support.sick import Sick, SickObjects

LEASE = 6.0
PLAIN = Sizes()
EARLY = Sizes(upload_whole=0)
"""Every file goes in parts, however small, and so under its final name."""


class Root(Protocol):
    """Where the objects of a store lie."""

    def store(self) -> Store:
        """A store over it."""

    def sick(self) -> Any:
        """A store over it that fails where its `sick` says."""

    def put(self, key: str, text: str, *, bucket: str = BUCKET) -> None:
        """Write an object."""

    def take(self, key: str) -> None:
        """Remove an object."""

    def keys(self, prefix: str = "") -> list[str]:
        """All there is under a prefix, hidden objects too."""

    def text(self, key: str) -> str:
        """An object's text."""

    def plain_rows(self, prefix: str) -> list[str]:
        """What somebody sees who knows nothing but that `_` and `.` begin no data."""
        seen = [key for key in self.keys(prefix) if not any(p.startswith(("_", ".")) for p in key.split("/"))]
        return sorted(row for key in seen for row in self.text(key).splitlines())

    def ours(self) -> list[str]:
        """All that is left of publications and claims."""
        return [key for key in self.keys() if "_headrace" in key]


@dataclass
class FolderRoot(Root):
    """A folder of buckets."""

    path: Path

    def store(self) -> FolderStore:
        return FolderStore(self.path)

    def sick(self) -> Sick:
        return Sick(self.path)

    def put(self, key: str, text: str, *, bucket: str = BUCKET) -> None:
        path = self.path / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def take(self, key: str) -> None:
        (self.path / BUCKET / key).unlink()

    def keys(self, prefix: str = "") -> list[str]:
        base = self.path / BUCKET
        found = [path for path in (base / prefix).rglob("*") if path.is_file() or path.name.startswith("_headrace")]
        return sorted(str(path.relative_to(base)) for path in found)

    def text(self, key: str) -> str:
        return (self.path / BUCKET / key).read_text()


@dataclass
class ObjectRoot(Root):
    """Buckets of an object storage."""

    server: Seaweed
    scratch: Path
    sizes: Sizes = PLAIN

    def store(self) -> ObjectStore:
        return ObjectStore(lambda bucket: self.server.access(), scratch=self.scratch, lease=LEASE, sizes=self.sizes)

    def sick(self) -> SickObjects:
        return SickObjects(lambda bucket: self.server.access(), scratch=self.scratch, lease=LEASE, sizes=self.sizes)

    def put(self, key: str, text: str, *, bucket: str = BUCKET) -> None:
        self.server.put(bucket, key, text.encode())

    def take(self, key: str) -> None:
        self.server.client().drop(BUCKET, [key])

    def keys(self, prefix: str = "") -> list[str]:
        return self.server.keys(BUCKET, prefix)

    def text(self, key: str) -> str:
        return self.server.data(BUCKET, key).decode()


__all__ = ["FolderRoot", "ObjectRoot", "Root"]
