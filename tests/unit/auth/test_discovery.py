import json
from dataclasses import dataclass
from typing import Any, cast

import pytest

from headrace.auth.discovery import published_keys
from headrace.outbound import Outbound, OutboundFailed

ISSUER = "https://sso.example.org/realms/main/"
DOCUMENT = "https://sso.example.org/realms/main/.well-known/openid-configuration"
KEYS = "https://keys.example.org/main"


@dataclass
class Shelf:
    """Answers by their addresses."""

    answers: dict[str, Any]

    def get(self, url: str) -> bytes:
        found = self.answers[url]
        return found if isinstance(found, bytes) else json.dumps(found).encode()


def asked(**answers: Any) -> list[Any]:
    shelf = {DOCUMENT: {"issuer": ISSUER, "jwks_uri": KEYS}, KEYS: {"keys": [{"kid": "one"}, "no key"]}}
    return list(published_keys(ISSUER, cast(Outbound, Shelf({**shelf, answers["at"]: answers["is_"]}))))


def test_the_keys_are_where_the_document_says() -> None:
    assert asked(at="", is_="") == [{"kid": "one"}]


@pytest.mark.parametrize(
    ("at", "is_"),
    [
        (DOCUMENT, {"issuer": ISSUER.rstrip("/"), "jwks_uri": KEYS}),
        (DOCUMENT, {"issuer": "https://elsewhere.example.org/", "jwks_uri": KEYS}),
        (DOCUMENT, {"jwks_uri": KEYS}),
        (DOCUMENT, {"issuer": ISSUER}),
        (DOCUMENT, []),
        (DOCUMENT, b"<html>"),
        (KEYS, {}),
        (KEYS, {"keys": "one"}),
        (KEYS, b"[" * 100_000),
    ],
)
def test_an_issuer_that_says_something_else_has_no_keys(at: str, is_: Any) -> None:
    with pytest.raises(OutboundFailed):
        asked(at=at, is_=is_)
