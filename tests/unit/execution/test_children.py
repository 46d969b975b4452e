from pathlib import Path

import pytest

from headrace.execution.child import PARENT
from headrace.execution.children import Nursery, environment
from headrace.settings import load_settings


def test_a_child_gets_the_settings_that_came_by_flags_and_no_secrets_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_SECRET_KEY", "hidden")
    monkeypatch.setenv("HEADRACE_DATABASE", "hidden")
    monkeypatch.setenv("HEADRACE_S3_SECRET_KEY", "needed")
    settings = load_settings({"storage": "/srv/buckets", "read_back": "true"}, {}, tmp_path)
    variables = environment(settings, workers=2)
    assert (variables["HEADRACE_STORAGE"], variables["HEADRACE_READ_BACK"]) == ("/srv/buckets", "true")
    assert "hidden" not in variables.values()
    assert variables["HEADRACE_S3_SECRET_KEY"] == "needed"


def test_children_that_can_not_begin_are_not_waited_for_without_end(tmp_path: Path) -> None:
    variables = environment(load_settings({}, {}, tmp_path), workers=1)
    nursery = Nursery({**variables, PARENT: "1"}, workers=1)
    nursery.start()
    assert nursery.take(patience=0.5) is None
    nursery.close()
    assert not nursery.is_alive()
