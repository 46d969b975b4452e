from datetime import timedelta

import pytest
from sqlalchemy import select

from headrace.core import psks
from headrace.core.psks import Holder
from headrace.db.tables import psks as table
from headrace.errors import BadState, NotFound
from tests.support.uses import NOON, Uses

ANN = Holder("main", "ann", frozenset({"nx1_ask", "nx1_monitor"}))


def test_a_key_opens_with_the_roles_that_its_owner_had(uses: Uses) -> None:
    with uses.database.transaction() as con:
        made, key = psks.create(con, ANN, description="for the nightly run", now=NOON)
        assert psks.proven(con, key) == made == psks.get(con, "main", "ann")
        assert (made.owner_id, made.roles, made.description) == ("ann", ANN.roles, "for the nightly run")
        assert psks.proven(con, key[:-1]) is None
        assert psks.proven(con, "") is None


def test_the_key_is_nowhere_in_the_database(uses: Uses) -> None:
    with uses.database.transaction() as con:
        _, key = psks.create(con, ANN, now=NOON)
        assert key.removeprefix("hrk_") not in repr(con.execute(select(table)).one())


def test_a_person_has_one_key_and_may_have_another_in_its_place(uses: Uses) -> None:
    with uses.database.transaction() as con:
        first, old = psks.create(con, ANN, description="mine", now=NOON)
        with pytest.raises(BadState):
            psks.create(con, ANN, now=NOON)
        second, new = psks.regenerate(con, Holder("main", "ann", frozenset({"nx1_ask"})), now=NOON)
        assert psks.proven(con, old) is None
        assert psks.proven(con, new) == second
        assert (second.roles, second.description) == (frozenset({"nx1_ask"}), "mine")
        assert second.psk_id != first.psk_id
        assert psks.revoke(con, "main", "ann", now=NOON) == second.psk_id
        assert psks.proven(con, new) is None
        for again in (lambda: psks.revoke(con, "main", "ann", now=NOON), lambda: psks.get(con, "main", "ann")):
            with pytest.raises(NotFound):
                again()
        with pytest.raises(NotFound):
            psks.regenerate(con, ANN, now=NOON)
        psks.create(con, ANN, now=NOON)


def test_the_key_of_a_job_has_no_roles_and_is_no_persons_key(uses: Uses) -> None:
    with uses.database.transaction() as con:
        old = psks.create_for_job(con, account_id="main", owner_id="ann", job_id="7", now=NOON)
        new = psks.create_for_job(con, account_id="main", owner_id="ann", job_id="7", now=NOON)
        other = psks.create_for_job(con, account_id="main", owner_id="ann", job_id="8", now=NOON)
        assert psks.proven(con, old) is None
        found = psks.proven(con, new)
        assert found is not None
        assert (found.job_id, found.roles) == ("7", frozenset())
        with pytest.raises(NotFound):
            psks.get(con, "main", "ann")
        psks.revoke_for_job(con, "7", now=NOON)
        assert psks.proven(con, new) is None
        assert psks.proven(con, other) is not None


def test_not_every_use_is_worth_a_write(uses: Uses) -> None:
    with uses.database.transaction() as con:
        made, key = psks.create(con, ANN, now=NOON)
        assert psks.needs_note(made, NOON)
        psks.note_use(con, made, now=NOON)
        used = psks.proven(con, key)
    assert used is not None
    assert used.last_used_at == NOON
    assert not psks.needs_note(used, NOON + timedelta(seconds=59))
    assert psks.needs_note(used, NOON + timedelta(seconds=60))
