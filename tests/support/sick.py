"""A store that fails where it is told to, so that a publication stops there."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from headrace.errors import StoreError
from headrace.stores.files import FolderStore, told
from tests.support.publishing import publish


class Sick(FolderStore):
    """A store on which one primitive fails while `sick` names it and a part of the key."""

    sick: tuple[str, str] | None = None

    def _fail(self, name: str, keys: Sequence[str]) -> None:
        if self.sick and self.sick[0] == name and any(self.sick[1] in key for key in keys):
            with told(keys[0]):
                raise OSError(errno.EIO, "broken")

    def write(self, bucket: str, key: str, data: bytes) -> None:
        self._fail("write", [key])
        super().write(bucket, key, data)

    def move(self, bucket: str, moves: Sequence[tuple[str, str]]) -> None:
        for each in moves:
            self._fail("move", each)
            super().move(bucket, [each])

    def remove(self, bucket: str, keys: Sequence[str], *, within: str) -> None:
        for key in keys:
            self._fail("remove", [key])
            super().remove(bucket, [key], within=within)


def cut_short(root: Path, prefix: str, texts: Sequence[str], *, run: str, at: tuple[str, str]) -> None:
    """An OVERWRITE that stops after its commit, when a primitive meets a key."""
    store = Sick(root)
    store.sick = at
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)) as caught:
        publish(store, prefix, "OVERWRITE", texts, run=run)
    assert "is left for the next run to tidy up" in caught.value.__notes__[0]
