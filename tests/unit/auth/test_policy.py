import pytest

from headrace.auth.policy import ACTIONS, ROLES, Policy, allows, in_force, tells_things_apart, unknown


def test_a_manager_may_do_everything() -> None:
    assert all(allows(ROLES["manager"], action) for action in ACTIONS)


def test_a_viewer_may_look_at_all_but_the_audit_log_and_change_nothing() -> None:
    looks = {action for action in ACTIONS if action.startswith("View/")} - {"View/getAuditList"}
    assert {action for action in ACTIONS if allows(ROLES["viewer"], action)} == looks


def test_a_role_that_nobody_defined_may_do_nothing() -> None:
    assert not any(allows(in_force("owner", None), action) for action in ACTIONS)


def test_a_key_with_rules_may_do_what_they_allow_and_no_more() -> None:
    policy = in_force("manager", Policy.of({"allow": ["View/*", "Change/executeJob@nightly-*"]}))
    assert allows(policy, "Change/executeJob")
    assert allows(policy, "Change/executeJob", "aBc123", "nightly-load")
    assert not allows(policy, "Change/executeJob", "aBc123", "hourly-load")
    assert allows(policy, "View/getJobDetail", "aBc123", "hourly-load")
    assert not allows(policy, "Change/deleteJob")
    assert not allows(policy, "Change/deleteJob", "aBc123", "nightly-load")


def test_what_is_denied_is_denied_whatever_else_is_allowed() -> None:
    policy = in_force("manager", Policy.of({"deny": ["Change/deleteJob", "View/getJobDetail@aBc123"]}))
    assert not allows(policy, "Change/deleteJob")
    assert not allows(policy, "Change/deleteJob", "x", "y")
    assert allows(policy, "Change/updateJob", "x", "y")
    assert allows(policy, "View/getJobDetail")
    assert not allows(policy, "View/getJobDetail", "aBc123", "a")
    assert allows(policy, "View/getJobDetail", "other", "a")


def test_rules_that_deny_add_to_those_of_the_role() -> None:
    policy = in_force("viewer", Policy.of({"deny": ["View/getJobExecution*"]}))
    assert not allows(policy, "View/getAuditList")
    assert not allows(policy, "View/getJobExecutionList")
    assert allows(policy, "View/getJobList")
    assert not allows(policy, "Change/createJob")


def test_a_name_is_looked_up_only_where_a_rule_tells_things_apart() -> None:
    policy = Policy.of({"allow": ["View/*", "Change/*@nightly-*"], "deny": ["View/getJobDetail@secret"]})
    assert tells_things_apart(policy, "Change/executeJob")
    assert tells_things_apart(policy, "View/getJobDetail")
    assert not tells_things_apart(policy, "View/getJobList")


@pytest.mark.parametrize("stored", [{"allow": None, "deny": ["View/*"]}, {"allow": [], "deny": []}])
def test_a_policy_is_kept_as_it_is(stored: dict[str, list[str] | None]) -> None:
    assert Policy.of(stored).as_json() == stored


def test_a_rule_about_no_action_is_a_typing_error() -> None:
    assert unknown(["Change/executeJob@x", "Chnage/*", "View/*", "executeJob"]) == ("Chnage/*", "executeJob")
