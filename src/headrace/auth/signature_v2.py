"""Signature v2: HMAC-SHA256 over the method, the path and query as sent, the time and the access key.

Neither the body nor any other header is signed (API reference, section 9). The path and query are compared as they
stood in the request line: percent-encoding is never touched. This module is told the time and the secret.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TIMESTAMP = "x-ncp-apigw-timestamp"
ACCESS_KEY = "x-ncp-iam-access-key"
SIGNATURE = "x-ncp-apigw-signature-v2"
WINDOW_MS = 5 * 60 * 1000
_DIGITS = re.compile(r"[0-9]{1,16}")

Reason = Literal["missing", "invalid", "stale"]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request carries to prove who sent it."""

    timestamp: str
    access_key: str
    signature: str


def sign(method: str, target: str, *, timestamp: str, access_key: str, secret: str) -> str:
    """The signature of a request, in Base64. `target` is the path and query as they go over the wire."""
    text = f"{method.upper()} {target}\n{timestamp}\n{access_key}"
    mac = hmac.new(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode("ascii")


def read(headers: Mapping[str, str]) -> Signed | None:
    """The three headers, by their names in small letters; None when one is absent or empty."""
    timestamp, access_key, signature = (headers.get(name, "") for name in (TIMESTAMP, ACCESS_KEY, SIGNATURE))
    if not (timestamp and access_key and signature):
        return None
    return Signed(timestamp, access_key, signature)


def is_timely(timestamp: str, now_ms: int) -> bool:
    """Whether a timestamp is one, and not more than five minutes from our clock, before or after."""
    return bool(_DIGITS.fullmatch(timestamp)) and abs(int(timestamp) - now_ms) <= WINDOW_MS


def verify(headers: Mapping[str, str], method: str, *, target: str, secret: str | None, now_ms: int) -> Reason | None:
    """Why a request is refused, or None. Without a secret (an unknown key) it takes as long to say `invalid`.

    The clock is judged last: only who holds the secret is told that it is the clock.
    """
    signed = read(headers)
    if signed is None:
        return "missing"
    expected = sign(
        method, target, timestamp=signed.timestamp, access_key=signed.access_key, secret=secret or "no secret"
    )
    given = signed.signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(expected.encode("ascii"), given) or secret is None:
        return "invalid"
    return None if is_timely(signed.timestamp, now_ms) else "stale"
