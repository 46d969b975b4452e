"""A server, asked by signed requests: one connection, kept as long as it holds."""

import http.client
import json
import ssl
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from headrace.auth.signature_v2 import ACCESS_KEY, SIGNATURE, TIMESTAMP, sign
from headrace.cli.asking import Refused, read
from headrace.errors import SettingInvalid

_SECONDS = 60.0


class Remote:
    """A server at an address; a path in it comes before all paths, and is signed with them."""

    is_local = False

    def __init__(self, url: str, *, access_key: str, secret: str, ca_file: str = "") -> None:
        self._url = url
        self._access_key = access_key
        self._secret = secret
        parts = urlsplit(url)
        self._prefix = parts.path
        self._connection = _connection(parts.scheme, parts.hostname or "", parts.port, ca_file)

    def __call__(self, method: str, target: str, body: object = None, /) -> Any:
        """What is answered. Raises Refused, also when nobody answers."""
        try:
            try:
                return read(*self._sent(method, target, body))
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if method != "GET":
                    raise
                self._connection.close()  # it was kept open for too long: nothing was done, so it is asked anew
                return read(*self._sent(method, target, body))
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Refused(f"{self._url} does not answer: {_reason(error)}", code="no-answer", status=0) from None

    def _sent(self, method: str, target: str, body: object) -> tuple[int, bytes]:
        target = f"{self._prefix}{target}"
        now = str(int(time.time() * 1000))
        signed = sign(method, target, timestamp=now, access_key=self._access_key, secret=self._secret)
        headers = {TIMESTAMP: now, ACCESS_KEY: self._access_key, SIGNATURE: signed, "content-type": "application/json"}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._connection.request(method, target, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _connection(scheme: str, host: str, port: int | None, ca_file: str) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise SettingInvalid(f"ca_file: {ca_file} can't be used: {error.strerror or error}") from None
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{error.verify_message}; for a certificate of its own making, set ca_file to it"
    with suppress(AttributeError):
        return str(error.strerror or error)  # type: ignore[attr-defined]  # an OSError has it
    return str(error) or type(error).__name__
