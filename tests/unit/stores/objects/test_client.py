from typing import Any

import pytest

from headrace.errors import StoreError
from headrace.stores.access import Access
from headrace.stores.objects.client import Client, Patience, Sizes

pytest.importorskip("boto3")


class FirstVersion:
    """A server that knows only the first version of a listing, and answers the second as if it were that."""

    def __init__(self, *keys: str, stuck: bool = False) -> None:
        self.left = keys
        self.stuck = stuck

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        return self.list_objects(**asked)

    def list_objects(self, *, Bucket: str, Prefix: str, MaxKeys: int, Marker: str = "") -> dict[str, Any]:
        after = [key for key in self.left if self.stuck or key > Marker]
        page = [{"Key": key} for key in after[:MaxKeys]]
        return {"Contents": page, "IsTruncated": len(after) > MaxKeys}


def client(server: FirstVersion, monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client(lambda bucket: Access("host", True, "", "path"), Patience(), Sizes(page=2))
    monkeypatch.setattr(made, "_client", lambda access, kind: server)
    return made


def test_a_server_that_knows_only_the_first_version_is_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    found = client(FirstVersion("a", "b", "c", "d", "e"), monkeypatch).pages("lake", "")
    assert [raw["Key"] for raw in found] == ["a", "b", "c", "d", "e"]


def test_a_listing_that_does_not_go_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="again and again"):
        list(client(FirstVersion("a", "b", "c", stuck=True), monkeypatch).pages("lake", ""))
