"""A browser without a window, driven by the WebDriver protocol: Debian's packages chromium and chromium-driver."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.services import free_ports
from tests.support.waiting import until

_PROGRAM = "chromedriver"
_INSTALL_SECONDS = 200
# Without these it looks for addresses outside, and root needs the third.
_FLAGS = (
    *("--headless", "--disable-gpu", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,2000"),
    *("--disable-background-networking", "--disable-component-update", "--disable-quic", "--disable-sync"),
    "--no-first-run",
)


@dataclass(frozen=True)
class Browser:
    """A browser with one page."""

    driver: httpx.Client
    session: str

    def open(self, url: str) -> None:
        """Go to a page."""
        self._told("POST", "/url", {"url": url})

    def type(self, css: str, text: str) -> None:
        """Write into a field."""
        self._told("POST", f"/element/{self._element(css)}/value", {"text": text})

    def click(self, css: str) -> None:
        """Press what is there, as soon as it is."""
        self._told("POST", f"/element/{self._element(css)}/click", {})

    def text(self, css: str) -> str:
        """What is written there."""
        return str(self._told("GET", f"/element/{self._element(css)}/text"))

    def complaints(self) -> list[str]:
        """What the browser found wrong with the page since it was last asked."""
        return [str(entry["message"]) for entry in self._told("POST", "/se/log", {"type": "browser"})]

    def _element(self, css: str) -> str:
        found: dict[str, str] = {}

        def there() -> bool:
            answer = self.driver.post(
                f"{self.session}/element", json={"using": "css selector", "value": css}, timeout=60
            )
            if answer.status_code == 200:
                found.update(answer.json()["value"])
            return answer.status_code == 200

        until(there)
        return next(iter(found.values()))

    def _told(self, method: str, path: str, body: object = None) -> Any:
        answer = self.driver.request(method, self.session + path, json=body)
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()["value"]


def program() -> str | None:
    """The driver, installed now when it is not there and we may."""
    if shutil.which(_PROGRAM) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(
                ["apt-get", *command], env=environment, capture_output=True, timeout=_INSTALL_SECONDS, check=False
            )
    return shutil.which(_PROGRAM)


@contextmanager
def browsing(driver: str, folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own."""
    (port,) = free_ports(1)
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def answers() -> bool:
        try:
            return client.get("/status").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers)
        options = {"args": [*_FLAGS, f"--user-data-dir={folder}"]}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        begun = client.post("/session", json={"capabilities": wanted})
        assert begun.status_code == 200, begun.text[:500]
        session = f"/session/{begun.json()['value']['sessionId']}"
        yield Browser(client, session)
        client.delete(session)
    finally:
        client.close()
        process.kill()
        process.wait()
