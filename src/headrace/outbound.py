"""What the server itself asks of other machines, by one policy.

Only hosts that were named by whoever runs the server; never an address that a machine tells its own secrets at; over
TLS, or not beyond this machine; a name is looked up once, and that address is asked; nobody is sent elsewhere.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from headrace.errors import HeadraceError

_SECONDS = 5.0
_MOST_BYTES = 1_000_000
_PORTS = {"https": 443, "http": 80}
# Where clouds answer that are not link-local: AWS over IPv6, Alibaba, Azure.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutboundRefused(HeadraceError):
    """The policy lets nothing out to there."""

    code = "outbound-refused"


class OutboundFailed(HeadraceError):
    """Who was asked did not answer, or not as it should be."""

    code = "outbound-failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What stood there; `date` is when, by the clock of who was asked, as a header has it, or nothing."""

    body: bytes
    date: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """Whom the server may ask: hosts by their names, with `:port` for that port alone."""

    hosts: frozenset[str]
    ca_file: str = ""

    def get(self, url: str) -> bytes:
        """What stands at an address. Raises OutboundRefused, OutboundFailed."""
        return self.ask(url).body

    def ask(self, url: str) -> Answer:
        """The same, with when it was told."""
        parts, port = self._admitted(url)
        host = parts.hostname or ""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = HTTPConnection(host, port, timeout=_SECONDS)
            try:
                connection.sock = self._connected(host, port, tls=parts.scheme == "https")
                connection.request("GET", path, headers={"accept": "application/json", "connection": "close"})
                answer = connection.getresponse()
                body = answer.read(_MOST_BYTES + 1)
            finally:
                connection.close()
        except (OSError, HTTPException) as error:
            raise OutboundFailed(f"{host} does not answer: {str(error) or type(error).__name__}") from None
        if answer.status != 200:
            raise OutboundFailed(f"{host} answers {answer.status} to {parts.path}")
        if len(body) > _MOST_BYTES:
            raise OutboundFailed(f"{host} answers with more than {_MOST_BYTES} bytes")
        return Answer(body, answer.headers.get("date", ""))

    def _admitted(self, url: str) -> tuple[SplitResult, int]:
        """The address in its parts, when its host was named."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise OutboundRefused(f"{url!r} is no address") from None
        host = (parts.hostname or "").lower()
        if not port or not host or parts.username is not None or not url.isascii() or not url.isprintable():
            raise OutboundRefused(f"{url!r} is no address")
        if not self.hosts & {host, f"{host}:{port}"}:
            raise OutboundRefused(f"{host} is not among the hosts that may be asked", hint="see outbound_hosts")
        return parts, port

    def _connected(self, host: str, port: int, *, tls: bool) -> socket.socket:
        found = [ipaddress.ip_address(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        addresses = [_plain(address) for address in found]
        if any(map(is_forbidden, addresses)):
            raise OutboundRefused(f"{host} is an address that is never asked")
        if not tls and not all(address.is_loopback for address in addresses):
            raise OutboundRefused(f"{host} would be asked without TLS", hint="use https://")
        made = _first(addresses, port)
        if not tls:
            return made
        try:
            return ssl.create_default_context(cafile=self.ca_file or None).wrap_socket(made, server_hostname=host)
        except OSError:
            made.close()
            raise


def hosts_of(*urls: str, more: Iterable[str] = ()) -> frozenset[str]:
    """The hosts of these addresses with their ports, and more of them."""
    found = {word.lower() for word in more}
    for url in urls:
        parts = urlsplit(url)
        found.add(f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}")
    return frozenset(found)


def is_forbidden(address: Address) -> bool:
    """Whether an address is one of those that nobody is asked at."""
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _first(addresses: Iterable[Address], port: int) -> socket.socket:
    """A connection to the first of these that takes it."""
    failure: OSError = OSError("it has no address")
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout=_SECONDS)
        except OSError as error:
            failure = error
    raise failure
