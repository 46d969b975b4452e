from headrace.auth.policy import ACTIONS, allows


def test_a_manager_may_do_everything() -> None:
    assert all(allows("manager", action) for action in ACTIONS)


def test_a_viewer_may_look_and_change_nothing() -> None:
    assert {action for action in ACTIONS if allows("viewer", action)} == {a for a in ACTIONS if a.startswith("View/")}


def test_a_role_that_nobody_defined_may_do_nothing() -> None:
    assert not any(allows("owner", action) for action in ACTIONS)
