import pytest
from sqlalchemy import select

from headrace.core import clients, psks
from headrace.core.psks import Holder
from headrace.db.tables import clients as table
from headrace.errors import BadState, NotFound
from tests.support.uses import NOON, Uses


def test_a_client_proves_itself_by_its_secret_until_it_is_revoked(uses: Uses) -> None:
    with uses.database.transaction() as con:
        made, secret = clients.create(con, account_id="main", name="ci", roles=["b", "a", "b"], now=NOON)
        assert made.roles == ("a", "b")
        assert clients.proven(con, made.client_id, secret) == made
        for name, tried in ((made.client_id, secret[:-1]), (made.client_id, ""), ("nobody", secret), ("nobody", "")):
            assert clients.proven(con, name, tried) is None
        assert (clients.list(con, "main"), clients.list(con, "other")) == ((made,), ())
        clients.revoke(con, made.client_id, account_id="main", now=NOON)
        assert clients.proven(con, made.client_id, secret) is None
        assert [each.revoked_at for each in clients.list(con, "main")] == [NOON]


def test_the_secret_is_nowhere_in_the_database(uses: Uses) -> None:
    with uses.database.transaction() as con:
        _, secret = clients.create(con, account_id="main", name="ci", roles=["a"], now=NOON)
        row = con.execute(select(table)).one()
    assert secret not in repr(row)
    assert secret.removeprefix("hrc_") not in repr(row)


def test_a_client_of_another_account_is_not_there_to_revoke(uses: Uses) -> None:
    with uses.database.transaction() as con:
        made, _ = clients.create(con, account_id="other", name="ci", roles=["a"], now=NOON)
        with pytest.raises(NotFound):
            clients.revoke(con, made.client_id, account_id="main", now=NOON)


def test_a_revoked_client_takes_the_keys_that_it_made_with_it_and_makes_no_more(uses: Uses) -> None:
    with uses.database.transaction() as con:
        made, _ = clients.create(con, account_id="main", name="ci", roles=["a"], now=NOON)
        holder = Holder("main", "ci", frozenset({"a"}), made.client_id)
        _, key = psks.create(con, holder, now=NOON)
        _, others = psks.create(con, Holder("main", "ann", frozenset({"a"}), "portal"), now=NOON)
        clients.revoke(con, made.client_id, account_id="main", now=NOON)
        assert psks.proven(con, key) is None
        assert psks.proven(con, others) is not None
        with pytest.raises(BadState, match="revoked"):
            psks.create(con, holder, now=NOON)
