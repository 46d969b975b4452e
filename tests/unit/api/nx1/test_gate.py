import pytest

from headrace.api.nx1.gate import Caller, Way, only_status
from tests.support.proving import proves


def caller(*roles: str, owner: str = "ann", way: Way = "token", job_id: str = "") -> Caller:
    return Caller("main", owner, frozenset(roles), way, job_id=job_id)


@proves("nexusone-access.rights-of-roles")
@pytest.mark.parametrize(
    ("roles", "own", "others"),
    [
        (["nx1_monitor"], True, False),
        (["nx1_monitor_ops"], True, False),
        (["nx1_monitor_admin"], True, True),
        (["nx1_ingest", "nx1_engineer"], False, False),
        ([], False, False),
    ],
)
def test_whose_jobs_a_caller_may_touch(roles: list[str], own: bool, others: bool) -> None:
    one = caller(*roles)
    assert (one.may_touch("ann"), one.may_touch("bob"), one.is_admin) == (own, others, others)


@proves("nexusone-access.rights-of-roles")
def test_what_a_caller_may_make() -> None:
    assert caller("nx1_engineer").may("engineer")
    assert not caller("nx1_engineer").may("ask")


def test_the_key_of_a_job_is_for_the_status_of_that_job_alone() -> None:
    key = caller(way="job key", job_id="7")
    assert only_status(key, "PUT", "/api/jobs/7/status") is None
    for method, path in (("PUT", "/api/jobs/8/status"), ("GET", "/api/jobs/7"), ("GET", "/api/jobs/7/status")):
        refused = only_status(key, method, path)
        assert refused is not None
        assert refused.status == 403
    assert (key.may_write_status("7", "ann"), key.may_write_status("8", "ann")) == (True, False)
    assert only_status(caller("nx1_ask"), "GET", "/api/jobs") is None


def test_a_status_is_written_by_who_may_touch_the_job() -> None:
    assert caller("nx1_monitor").may_write_status("7", "ann")
    assert not caller("nx1_monitor").may_write_status("7", "bob")
    assert not caller("nx1_ingest").may_write_status("7", "ann")
