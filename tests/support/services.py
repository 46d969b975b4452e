"""Services beside the tests: what happens when one can't be had, and ports for those that can."""

import os
import socket
from typing import NoReturn

import pytest

REQUIRED = "HEADRACE_REQUIRE_SERVICES"


def absent(name: str, why: str) -> NoReturn:
    """Skip the test that needs a service, or fail it where services are required."""
    told = f"{name} is not there: {why}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(told, pytrace=False)
    pytest.skip(told)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in held]
    for each in held:
        each.close()
    return ports
