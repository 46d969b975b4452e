"""What is documented stands with its proof, and the table of operations agrees with it."""

import pytest

from headrace.api.gateway import Operation
from headrace.api.naver.operations import OPERATIONS
from tools.reference.facts import every_fact, problems, proofs, subjects

SUBJECTS = subjects()
FACTS = every_fact(SUBJECTS)


def test_what_is_called_implemented_has_a_test_and_every_test_names_facts_that_exist() -> None:
    assert problems(SUBJECTS, proofs()) == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_that_is_built_is_called_implemented(operation: Operation) -> None:
    # What the vendor does not document is no fact of its documentation.
    fact = FACTS.get(operation.name)
    assert fact is None or fact.state == "implemented"


def test_every_documented_operation_is_in_the_table_of_operations() -> None:
    documented = {name for name in FACTS if "." not in name and name[0].islower()}
    assert documented <= {operation.name for operation in OPERATIONS}
    assert len(documented) == 25  # the documented 24; the two ways to update a job are two operations here


def test_nothing_is_left_out_without_a_reason() -> None:
    assert [fact.id for fact in FACTS.values() if fact.state == "excluded" and not fact.why] == []
