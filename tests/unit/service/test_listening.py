import urllib.request
from pathlib import Path

import pytest

from headrace.errors import SettingInvalid
from headrace.execution.figures import Figures
from headrace.service.listening import PortTaken, address, listening, telling
from headrace.settings import Settings, load_settings
from tests.support.services import free_ports


def settings(folder: Path, **given: str) -> Settings:
    return load_settings({"port": "0", **given}, {}, folder)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_others_are_listened_to_only_with_tls_or_when_told_so(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingInvalid, match="without TLS"), listening(settings(tmp_path, host=host), tls=False):
        pass


@pytest.mark.parametrize(("given", "tls"), [({"insecure_http": "true"}, False), ({}, True)])
def test_with_tls_or_when_told_so_all_are_listened_to(tmp_path: Path, given: dict[str, str], tls: bool) -> None:
    with listening(settings(tmp_path, host="0.0.0.0", **given), tls=tls) as listener:
        port = listener.getsockname()[1]
        scheme = "https" if tls else "http"
        assert address(listener, tls=tls, prefix="/flow") == f"{scheme}://0.0.0.0:{port}/flow"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with listening(settings(tmp_path), tls=False) as listener:
        taken = settings(tmp_path, port=str(listener.getsockname()[1]))
        with pytest.raises(PortTaken, match="can't listen on 127"), listening(taken, tls=False):
            pass


def test_a_worker_tells_its_figures_at_a_port_of_this_machine() -> None:
    (port,) = free_ports(1)
    figures = Figures()
    figures.left("COMPLETED")
    with telling(figures.registry, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert 'headrace_executions_ended_total{status="COMPLETED"} 1.0' in answer.read().decode()
        with pytest.raises(PortTaken), telling(figures.registry, port):
            pass
    with telling(figures.registry, 0):
        pass
