from headrace.auth.roles import known, rights


def test_roles_add_up_and_those_of_others_mean_nothing() -> None:
    assert rights(["nx1_ask", "nx1_monitor_admin", "offline_access"]) == {"ask", "monitor", "monitor-all"}
    assert known(["nx1_ask", "nx1_quality", "offline_access", "manager"]) == {"nx1_ask", "nx1_quality"}
    assert rights([]) == known([]) == frozenset()


def test_the_storage_is_another_matter_than_ingesting() -> None:
    assert rights(["nx1_s3_admin"]) == {"storage"}
    assert rights(["nx1_ingest"]) == {"ingest"}
