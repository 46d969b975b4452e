"""Stores that fail where they are told to, so that a publication stops there."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headrace.errors import StoreError
from headrace.stores.base import StoredObject
from headrace.stores.files import FolderStore
from headrace.stores.objects import ObjectStore
from tests.support.publishing import publish

if TYPE_CHECKING:
    # The methods that are called by super() are those of either store.
    _Base = FolderStore
else:
    _Base = object


class _Failing(_Base):
    """One primitive fails while `sick` names it and a part of the key."""

    sick: tuple[str, str] | None = None

    def _fail(self, name: str, keys: Sequence[str]) -> None:
        if self.sick and self.sick[0] == name and any(self.sick[1] in key for key in keys):
            raise StoreError(f"'{keys[0]}': {os.strerror(errno.EIO)}")

    def write(self, bucket: str, key: str, data: bytes) -> None:
        self._fail("write", [key])
        super().write(bucket, key, data)

    def move(self, bucket: str, moves: Sequence[tuple[str, str]]) -> None:
        for each in moves:
            self._fail("move", each)
            super().move(bucket, [each])

    def arrive(self, bucket: str, folder: str) -> Sequence[StoredObject]:
        """Fails when all have arrived: before the commit, and after all that could be done before it."""
        arrived = super().arrive(bucket, folder)
        self._fail("arrive", [each.key for each in arrived])
        return arrived

    def remove(self, bucket: str, keys: Sequence[str], *, within: str) -> None:
        for key in keys:
            self._fail("remove", [key])
            super().remove(bucket, [key], within=within)


class Sick(_Failing, FolderStore):
    """A folder that fails."""


# The first base stands for either store: only a folder's could be told in types.
SickObjects: Any = type("SickObjects", (_Failing, ObjectStore), {"__doc__": "An object storage that fails."})


def cut_short(where: Any, prefix: str, texts: Sequence[str], *, run: str, at: tuple[str, str]) -> None:
    """An OVERWRITE that stops after its commit, when a primitive meets a key. `where` is a root, or a folder."""
    store = Sick(where) if isinstance(where, Path) else where.sick()
    store.sick = at
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)) as caught:
        publish(store, prefix, "OVERWRITE", texts, run=run)
    assert "is left for the next run to tidy up" in caught.value.__notes__[0]
