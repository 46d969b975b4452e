import ipaddress
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from headrace.outbound import Outbound, OutboundFailed, OutboundRefused, hosts_of, is_forbidden


class Other(BaseHTTPRequestHandler):
    """A server that does what its path says."""

    def do_GET(self) -> None:
        status, size = {"/moved": (302, 0), "/gone": (404, 0), "/large": (200, 1_000_001)}.get(self.path, (200, 2))
        self.send_response(status)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", str(size))
        self.end_headers()
        self.wfile.write(b"o" * size)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_named_host_is_asked(port: int) -> None:
    assert Outbound(frozenset({"127.0.0.1"})).get(f"http://127.0.0.1:{port}/a?b=c") == b"oo"
    assert Outbound(frozenset({f"127.0.0.1:{port}"})).get(f"http://127.0.0.1:{port}") == b"oo"


@pytest.mark.parametrize("path", ["moved", "gone", "large"])
def test_nobody_is_sent_elsewhere_nor_given_more_than_can_be_held(port: int, path: str) -> None:
    with pytest.raises(OutboundFailed):
        Outbound(frozenset({"127.0.0.1"})).get(f"http://127.0.0.1:{port}/{path}")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1/",
        "http://127.0.0.1:1/",
        "https://example.org/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://user:word@127.0.0.1:2/",
        "http://127.0.0.1:2/\r\nHost: x",
        "http://127.0.0.1:port/",
        "http://[::1/",
        "",
    ],
)
def test_a_host_that_was_not_named_is_never_asked(url: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound(frozenset({"127.0.0.1:2"})).get(url)


def test_who_does_not_answer_is_told(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    with pytest.raises(OutboundFailed, match="does not answer"):
        Outbound(frozenset({"127.0.0.1"})).get(f"http://127.0.0.1:{closed}/")
    with pytest.raises(OutboundFailed, match="does not answer"):
        Outbound(frozenset({"127.0.0.1"})).get(f"https://127.0.0.1:{port}/")


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[::ffff:169.254.169.254]", "100.100.100.200"])
def test_where_machines_are_told_their_secrets_nobody_is_asked_even_when_named(host: str) -> None:
    with pytest.raises(OutboundRefused, match="never asked"):
        Outbound(frozenset({host.strip("[]")})).get(f"https://{host}/latest/meta-data/")


def test_beyond_this_machine_tls_is_spoken() -> None:
    with pytest.raises(OutboundRefused, match="without TLS"):
        Outbound(frozenset({"192.0.2.1"})).get("http://192.0.2.1/")


@pytest.mark.parametrize(
    ("address", "forbidden"),
    [("10.0.0.5", False), ("127.0.0.1", False), ("fe80::1", True), ("fd00:ec2::254", True), ("224.0.0.1", True)],
)
def test_which_addresses_are_never_asked(address: str, forbidden: bool) -> None:
    assert is_forbidden(ipaddress.ip_address(address)) is forbidden


def test_a_host_that_an_address_names_is_named_with_its_port() -> None:
    found = hosts_of("https://SSO.example.org/realms/main", "http://127.0.0.1:8081", more=["Keys.example.org"])
    assert found == {"sso.example.org:443", "127.0.0.1:8081", "keys.example.org"}
